//! Redaction held against a naive model that sees the whole stream and every spelling at once.

use super::patterns::HEAD;
use super::spelling::{Spelling, forms};
use super::{Redaction, Redactor, core};
use crate::domain::{SecretName, SecretValue};
use base64::{Engine, engine::general_purpose::STANDARD};
use proptest::{prelude::*, test_runner::RngSeed};
use std::collections::BTreeMap;
use std::sync::Arc;

fn name(n: usize) -> SecretName {
    SecretName::parse(&format!("S{n}")).unwrap()
}

fn values(list: &[Vec<u8>]) -> Vec<(SecretName, SecretValue)> {
    let named = list.iter().enumerate();
    named.map(|(n, bytes)| (name(n), SecretValue::new(bytes.clone()).unwrap())).collect()
}

fn redaction(list: &[Vec<u8>]) -> Arc<Redaction> {
    Arc::new(Redaction::new(values(list)))
}

/// Pushes these pieces, without a pause.
fn through<'a>(redaction: &Arc<Redaction>, pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let (mut redactor, mut out) = (Redactor::new(Arc::clone(redaction)), Vec::new());
    for piece in pieces {
        redactor.push(piece, &mut out);
        assert!(redactor.held() < HEAD, "{} bytes are held", redactor.held());
    }
    redactor.finish(&mut out);
    out
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Every spelling of every value, with the name it is shown under.
fn spellings(list: &[Vec<u8>]) -> BTreeMap<Vec<u8>, usize> {
    let mut all = BTreeMap::new();
    for (n, (_, value)) in values(list).iter().enumerate() {
        let value = core(value);
        for form in forms(value).into_iter().filter(|_| value.len() >= 6) {
            let mut spelling = Spelling::new(form);
            let bytes: Vec<u8> = std::iter::from_fn(|| spelling.next(value)).collect();
            if bytes.len() >= 6 {
                all.entry(bytes).or_insert(n);
            }
        }
    }
    all
}

/// What must come out: the longest spelling at each position is hidden, and told where it hides more than those before.
fn model(list: &[Vec<u8>], stream: &[u8]) -> Vec<u8> {
    let all = spellings(list);
    let (mut out, mut hidden) = (Vec::new(), 0);
    for at in 0..stream.len() {
        let here = all.iter().filter(|(bytes, _)| stream[at..].starts_with(bytes));
        if let Some((bytes, n)) = here.max_by_key(|(bytes, _)| bytes.len())
            && at + bytes.len() > hidden
        {
            hidden = at + bytes.len();
            out.extend_from_slice(format!("[sealed:S{n}]").as_bytes());
        }
        if at >= hidden {
            out.push(stream[at]);
        }
    }
    out
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

#[test]
fn a_value_becomes_its_name_and_the_rest_stays() {
    let redaction = redaction(&[b"hunter2!".to_vec(), b"hunter2!-and-more".to_vec()]);
    for (stream, want) in [
        ("", ""),
        ("nothing here", "nothing here"),
        ("a hunter2! b", "a [sealed:S0] b"),
        ("hunter2!-and-mor hunter2!-and-more", "[sealed:S0]-and-mor [sealed:S1]"),
        ("hunter2!hunter2!", "[sealed:S0][sealed:S0]"),
        ("hunter", "hunter"),
        ("\u{1b}[31mhunter2!\u{1b}[0m\r\n", "\u{1b}[31m[sealed:S0]\u{1b}[0m\r\n"),
    ] {
        assert_eq!(text(&through(&redaction, [stream.as_bytes()])), want);
    }
}

#[test]
fn every_spelling_is_found_at_every_offset_of_two_writes() {
    let secret = b"p@ss \"w\\rd\"/\n\xc3\xa9+<canary>".to_vec();
    let redaction = redaction(std::slice::from_ref(&secret));
    for spelling in spellings(std::slice::from_ref(&secret)).into_keys() {
        let stream = [b"before ", spelling.as_slice(), b" after"].concat();
        for cut in 0..=stream.len() {
            let out = through(&redaction, [&stream[..cut], &stream[cut..]]);
            assert_eq!(text(&out), "before [sealed:S0] after", "{} cut at {cut}", text(&spelling));
        }
        let bytewise = through(&redaction, stream.chunks(1));
        assert_eq!(text(&bytewise), "before [sealed:S0] after");
    }
}

#[test]
fn encoded_data_around_a_value_gives_none_of_it_away() {
    let secret = b"the canary itself".to_vec();
    let redaction = redaction(std::slice::from_ref(&secret));
    for (before, after) in [("", ""), ("u", "x"), ("us", "xy"), ("use", "xyz"), ("user:", ":more")] {
        let encoded = STANDARD.encode([before.as_bytes(), &secret, after.as_bytes()].concat());
        let out = text(&through(&redaction, [encoded.as_bytes()]));
        assert!(out.contains("[sealed:S0]"), "{encoded}");
        let left = out.replace("[sealed:S0]", "");
        assert!(left.len() <= 4 + STANDARD.encode(before).len() + STANDARD.encode(after).len(), "{out}");
    }
}

#[test]
fn a_line_break_at_the_end_of_a_value_is_not_needed_and_not_hidden() {
    let redaction = redaction(&[b"from-a-file\r\n".to_vec()]);
    let out = through(&redaction, [&b"x from-a-file\r\nfrom-a-file y"[..]]);
    assert_eq!(text(&out), "x [sealed:S0]\r\n[sealed:S0] y");
}

#[test]
fn a_key_of_several_lines_is_hidden_when_its_lines_are_indented_or_stand_alone() {
    let body: Vec<String> = (0..400u32)
        .map(|n| {
            STANDARD.encode((0..48).map(|i| (n * 97 + i * 41) as u8).collect::<Vec<_>>()) + &n.to_string()
        })
        .collect();
    let rule = "-".repeat(40);
    let key =
        format!("-----BEGIN PRIVATE KEY-----\n{}\n{rule}\n-----END PRIVATE KEY-----\n", body.join("\r\n"));
    let redaction = redaction(&[key.clone().into_bytes()]);
    let indented: String = key.lines().fold(String::new(), |text, line| format!("{text}    {line}\n"));
    for cut in [0, 1, 40, 41, 700, indented.len()] {
        let (a, b) = indented.as_bytes().split_at(cut);
        let out = text(&through(&redaction, [a, b]));
        assert!(!body.iter().any(|line| out.contains(line)), "{out}");
        assert_eq!(out.matches("[sealed:S0]").count(), 400);
        assert!(out.starts_with("    -----BEGIN PRIVATE KEY-----\n    [sealed:S0]\n"), "{out}");
    }
    let whole = text(&through(&redaction, [format!("<{key}>").as_bytes()]));
    assert_eq!(whole, "<[sealed:S0]\n>");
    let others = format!("{rule} -----BEGIN PRIVATE KEY-----");
    assert_eq!(text(&through(&redaction, [others.as_bytes()])), others);
}

#[test]
fn short_values_are_named_and_left_alone() {
    let redaction = redaction(&[b"12345".to_vec(), Vec::new(), b"1234\n\n\n".to_vec(), b"123456".to_vec()]);
    let names: Vec<_> = redaction.too_short().iter().map(ToString::to_string).collect();
    assert_eq!(names, ["S0", "S1", "S2"]);
    assert_eq!(text(&through(&redaction, [&b"12345 123456"[..]])), "12345 [sealed:S3]");
    let nothing = Arc::new(Redaction::new([]));
    assert!(nothing.is_empty() && !redaction.is_empty());
    assert_eq!(through(&nothing, [&b"123456"[..]]), b"123456");
}

#[test]
fn a_pause_lets_go_of_short_tails_only_and_forgets_nothing() {
    let redaction = redaction(&[b"hunter2!".to_vec(), b"hunter2!-and-more".to_vec()]);
    let (mut redactor, mut out) = (Redactor::new(redaction), Vec::new());
    redactor.push(b"name: hun", &mut out);
    assert_eq!(text(&out), "name: ", "three bytes wait for the next write");
    redactor.settle(&mut out);
    assert_eq!(text(&out), "name: hun", "but not for ever");
    redactor.push(b"ter2", &mut out);
    redactor.settle(&mut out);
    assert_eq!(text(&out), "name: hun", "from four bytes on it is held");
    redactor.push(b"! hunt", &mut out);
    assert_eq!(text(&out), "name: hun[sealed:S0] ", "the value is not completed by what follows");
    redactor.settle(&mut out);
    redactor.push(b"ing", &mut out);
    assert_eq!(text(&out), "name: hun[sealed:S0] hunting");
    out.clear();
    redactor.push(b"hunter2!", &mut out);
    assert_eq!(text(&out), "", "it may become the longer one");
    redactor.settle(&mut out);
    assert_eq!(text(&out), "[sealed:S0]", "a prompt that ends in a value is not held");
    redactor.push(b"-and-more.", &mut out);
    assert_eq!(text(&out), "[sealed:S0][sealed:S1].");
    redactor.push(b"hu", &mut out);
    redactor.finish(&mut out);
    assert_eq!(text(&out), "[sealed:S0][sealed:S1].hu");
}

#[test]
fn a_long_value_is_hidden_in_bounded_memory() {
    let secret: Vec<u8> = (0..1u32 << 20).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    let redaction = redaction(std::slice::from_ref(&secret));
    let stream = [b"before ", secret.as_slice(), b" after"].concat();
    assert_eq!(text(&through(&redaction, stream.chunks(999))), "before [sealed:S0] after");
    let encoded = [b"before ", STANDARD.encode(&secret).as_bytes(), b" after"].concat();
    assert_eq!(text(&through(&redaction, encoded.chunks(40_000))), "before [sealed:S0] after");
    // cut short, its beginning is hidden and what follows is not
    let half = [&secret[..500_000], b" after"].concat();
    assert_eq!(text(&through(&redaction, [half.as_slice()])), "[sealed:S0] after");
}

#[test]
fn a_long_value_that_repeats_itself_is_hidden() {
    let secret = [vec![b'a'; 20_000], b"b".to_vec()].concat();
    let redaction = redaction(std::slice::from_ref(&secret));
    let stream = [vec![b'a'; 70_000], secret.clone(), b" after".to_vec()].concat();
    let out = through(&redaction, stream.chunks(4096));
    assert!(!holds(&out, &secret) && out.ends_with(b" after"));
}

#[test]
fn values_that_begin_alike_are_told_apart() {
    let list: Vec<Vec<u8>> = (0..300).map(|n| format!("https://{n}.example").into_bytes()).collect();
    let redaction = redaction(&list);
    for (n, value) in list.iter().enumerate() {
        let stream = [b"https://https://", value.as_slice(), b"/"].concat();
        let want = format!("https://https://[sealed:S{n}]/");
        assert_eq!(text(&through(&redaction, stream.chunks(3))), want);
    }
}

/// Values and streams over two letters, so that nesting, overlap and near misses are the rule.
fn crowded() -> impl Strategy<Value = (Vec<Vec<u8>>, Vec<u8>, Vec<usize>)> {
    let letter = prop_oneof![Just(b'a'), Just(b'b')];
    let value = prop::collection::vec(letter.clone(), 4..14);
    (prop::collection::vec(value, 1..5), prop::collection::vec(any::<prop::sample::Index>(), 0..12))
        .prop_flat_map(move |(list, picks)| {
            let pieces: Vec<Vec<u8>> = picks.iter().map(|pick| pick.get(&list).clone()).collect();
            let joined = pieces.concat();
            let length = joined.len();
            let noise = prop::collection::vec((0..=length, letter.clone()), 0..6);
            (Just(list), Just(joined), noise, prop::collection::vec(1..9usize, 0..40)).prop_map(
                |(list, mut stream, noise, cuts)| {
                    for (at, byte) in noise {
                        stream.insert(at.min(stream.len()), byte);
                    }
                    (list, stream, cuts)
                },
            )
        })
}

fn pieces<'a>(stream: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let (mut rest, mut pieces) = (stream, Vec::new());
    for cut in cuts {
        let (piece, after) = rest.split_at((*cut).min(rest.len()));
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, rng_seed: RngSeed::Fixed(27), ..ProptestConfig::default() })]

    #[test]
    fn any_split_of_crowded_values_gives_what_the_model_gives((list, stream, cuts) in crowded()) {
        let out = through(&redaction(&list), pieces(&stream, &cuts));
        prop_assert_eq!(text(&out), text(&model(&list, &stream)));
    }

    #[test]
    fn pauses_between_writes_never_let_a_value_through((list, stream, cuts) in crowded()) {
        let (mut redactor, mut out) = (Redactor::new(redaction(&list)), Vec::new());
        for piece in pieces(&stream, &cuts) {
            redactor.push(piece, &mut out);
            redactor.settle(&mut out);
        }
        redactor.finish(&mut out);
        for value in list.iter().filter(|value| value.len() >= 6) {
            prop_assert!(!holds(&out, value), "{} let {} through: {}", text(&stream), text(value), text(&out));
        }
        // what was shown is what the model shows, and at most three bytes more at each beginning
        let bare = |out: &[u8]| (0..list.len()).fold(text(out), |out, n| out.replace(&format!("[sealed:S{n}]"), ""));
        let (shown, least) = (bare(&out), bare(&model(&list, &stream)));
        let names = text(&out).matches('[').count();
        prop_assert!(shown.len() >= least.len() && shown.len() <= least.len() + 3 * names);
    }

    #[test]
    fn any_bytes_around_any_spelling_stay_as_they_are(
        secret in prop::collection::vec(any::<u8>(), 6..60),
        pick in any::<prop::sample::Index>(),
        before in prop::collection::vec(any::<u8>(), 0..300),
        after in prop::collection::vec(any::<u8>(), 0..300),
        cuts in prop::collection::vec(1..64usize, 0..20),
    ) {
        let list = [secret];
        let all: Vec<Vec<u8>> = spellings(&list).into_keys().collect();
        if all.is_empty() {
            return Ok(());
        }
        let spelling = pick.get(&all);
        let stream = [before.as_slice(), spelling, &after].concat();
        let out = through(&redaction(&list), pieces(&stream, &cuts));
        prop_assert!(!holds(&out, spelling));
        prop_assert_eq!(text(&out), text(&model(&list, &stream)));
    }

    #[test]
    fn a_long_value_never_comes_through(
        period in 1..400usize, length in 300..3000usize, start in 0..700usize, cuts in prop::collection::vec(1..500usize, 0..20),
    ) {
        let secret: Vec<u8> = (0..length).map(|n| ((n % period) * 7 % 113) as u8).chain([127]).collect();
        let stream = [&secret[..start.min(length)], &secret, b" after"].concat();
        let out = through(&redaction(std::slice::from_ref(&secret)), pieces(&stream, &cuts));
        prop_assert!(!holds(&out, &secret) && out.ends_with(b" after"));
        let shown = text(&out).replace("[sealed:S0]", "");
        prop_assert!(shown.len() <= start + 6 + length / 2, "{} bytes are shown", shown.len());
    }
}

//! Text with references in it: found in one pass, replaced in one pass, never looked at again (SPEC R21).
//!
//! Works on bytes: a file need not be UTF-8. Time is linear in the text; memory is that of the references found. Knows no
//! file and no value: the caller looks values up. Invariants: a value that looks like a reference stays as it is; nothing
//! is written before everything is known to fit.

use super::reference::{Fault, Inside, Reference, inside};
use std::collections::HashMap;
use std::io::{self, Write};

/// How many references a text may have.
pub const MAX_MENTIONS: usize = 1 << 20;
/// How many bytes of values may be inserted into a text.
pub const MAX_INSERTED: usize = 16 << 20;
/// So many faults of one text are kept; it is wrong anyway.
const MAX_FAULTS: usize = 100;

/// A text, and where its references are.
pub struct Template<'a> {
    source: &'a [u8],
    references: Vec<Reference>,
    places: Vec<Place>,
}

/// One occurrence: a range of the source, and which of the references it is.
struct Place {
    start: usize,
    end: usize,
    reference: u32,
}

/// One occurrence of a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mention<'t> {
    /// What is referred to.
    pub reference: &'t Reference,
    /// Line of its opening braces, counted from 1.
    pub line: usize,
    /// Character in that line, counted from 1.
    pub column: usize,
}

/// A text that cannot be used, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {fault}")]
pub struct TemplateError {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// What is wrong.
    pub fault: TemplateFault,
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateFault {
    /// Something starts like a reference and is none.
    #[error(transparent)]
    Reference(#[from] Fault),
    /// More than [`MAX_MENTIONS`] references.
    #[error("a text may have {MAX_MENTIONS} references; this has more")]
    TooMany,
}

/// Why a text was not rendered. Nothing was written, unless writing itself failed.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// The look-up gave no value.
    #[error("there is no value for {0}")]
    Missing(Reference),
    /// More than [`MAX_INSERTED`] bytes would be inserted.
    #[error(
        "the values that this text refers to are {0} bytes in all; 16 MiB (16777216 bytes) may be inserted"
    )]
    TooLong(usize),
    /// The writer failed.
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl<'a> Template<'a> {
    /// Finds all references; the first fault refuses the text.
    pub fn parse(source: &'a [u8]) -> Result<Self, TemplateError> {
        let (template, faults) = Self::survey(source);
        faults.into_iter().next().map_or(Ok(template), Err)
    }

    /// Finds all references and all faults (the first hundred), for those who look at files that are not theirs.
    pub fn survey(source: &'a [u8]) -> (Self, Vec<TemplateError>) {
        let mut template = Self { source, references: Vec::new(), places: Vec::new() };
        let mut known = HashMap::new();
        let (mut faults, mut position, mut at) = (Vec::new(), Position::default(), 0);
        let braces = memchr::memmem::Finder::new(b"{{");
        while faults.len() < MAX_FAULTS
            && let Some(found) = source.get(at..).and_then(|rest| braces.find(rest))
        {
            let start = at + found;
            let run =
                source.get(start..).unwrap_or_default().iter().take_while(|byte| **byte == b'{').count();
            at = start + run;
            if run != 2 {
                continue; // three and more belong to other languages
            }
            let mut fault = |at: usize, fault: TemplateFault| {
                let (line, column) = position.of(source, at);
                faults.push(TemplateError { line, column, fault });
            };
            match inside(source.get(at..).unwrap_or_default()) {
                Inside::Foreign => {}
                Inside::Wrong(wrong, further) => fault(at + further, wrong.into()),
                Inside::Reference(..) if template.places.len() == MAX_MENTIONS => {
                    fault(start, TemplateFault::TooMany);
                    break;
                }
                Inside::Reference(reference, length) => {
                    at += length;
                    template.add(&mut known, reference, start..at);
                }
            }
        }
        (template, faults)
    }

    fn add(
        &mut self,
        known: &mut HashMap<Reference, u32>,
        reference: Reference,
        range: std::ops::Range<usize>,
    ) {
        let number = *known.entry(reference).or_insert_with_key(|reference| {
            self.references.push(reference.clone());
            self.references.len() as u32 - 1
        });
        self.places.push(Place { start: range.start, end: range.end, reference: number });
    }

    /// Each reference once, in the order in which they first occur.
    pub fn references(&self) -> &[Reference] {
        &self.references
    }

    /// Every occurrence, in order.
    pub fn mentions(&self) -> impl Iterator<Item = Mention<'_>> {
        let mut position = Position::default();
        self.places.iter().filter_map(move |place| {
            let (line, column) = position.of(self.source, place.start);
            let reference = self.references.get(usize::try_from(place.reference).ok()?)?;
            Some(Mention { reference, line, column })
        })
    }

    /// Writes the text with each reference replaced by its value; says how many bytes that was. Values are inserted as
    /// they are and not looked at again.
    pub fn render<'v>(
        &self,
        lookup: impl FnMut(&Reference) -> Option<&'v [u8]>,
        to: &mut impl Write,
    ) -> Result<usize, RenderError> {
        let values = self.looked_up(lookup)?;
        let mut at = 0;
        for place in &self.places {
            to.write_all(self.source.get(at..place.start).unwrap_or_default())?;
            to.write_all(value_of(&values, place))?;
            at = place.end;
        }
        to.write_all(self.source.get(at..).unwrap_or_default())?;
        Ok(self.size(&values))
    }

    /// How many bytes [`Self::render`] will write; fails as it would, without writing.
    pub fn rendered_size<'v>(
        &self,
        lookup: impl FnMut(&Reference) -> Option<&'v [u8]>,
    ) -> Result<usize, RenderError> {
        Ok(self.size(&self.looked_up(lookup)?))
    }

    fn looked_up<'v>(
        &self,
        mut lookup: impl FnMut(&Reference) -> Option<&'v [u8]>,
    ) -> Result<Vec<&'v [u8]>, RenderError> {
        let one =
            |reference: &Reference| lookup(reference).ok_or_else(|| RenderError::Missing(reference.clone()));
        let values = self.references.iter().map(one).collect::<Result<Vec<_>, _>>()?;
        match self.inserted(&values) {
            too_long @ MAX_INSERTED.. if too_long > MAX_INSERTED => Err(RenderError::TooLong(too_long)),
            _ => Ok(values),
        }
    }

    fn inserted(&self, values: &[&[u8]]) -> usize {
        self.places.iter().map(|place| value_of(values, place).len()).sum()
    }

    fn size(&self, values: &[&[u8]]) -> usize {
        let replaced: usize = self.places.iter().map(|place| place.end - place.start).sum();
        self.source.len() - replaced + self.inserted(values)
    }
}

fn value_of<'v>(values: &[&'v [u8]], place: &Place) -> &'v [u8] {
    usize::try_from(place.reference).ok().and_then(|at| values.get(at)).copied().unwrap_or_default()
}

/// Turns ascending offsets into lines and columns, looking at each byte once.
struct Position {
    offset: usize,
    line: usize,
    column: usize,
}

impl Default for Position {
    fn default() -> Self {
        Self { offset: 0, line: 1, column: 1 }
    }
}

impl Position {
    fn of(&mut self, source: &[u8], offset: usize) -> (usize, usize) {
        let passed = source.get(self.offset..offset).unwrap_or_default();
        let mut in_line = passed;
        if let Some(last) = memchr::memrchr(b'\n', passed) {
            self.line += memchr::memchr_iter(b'\n', passed).count();
            self.column = 1;
            in_line = passed.get(last + 1..).unwrap_or_default();
        }
        self.column += in_line.iter().filter(|byte| **byte & 0xc0 != 0x80).count(); // UTF-8: no continuation bytes
        self.offset = offset;
        (self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::SecretName;
    use proptest::{prelude::*, test_runner::RngSeed};
    use std::time::{Duration, Instant};

    fn render(source: &[u8], value: &[u8]) -> Result<Vec<u8>, RenderError> {
        let mut out = Vec::new();
        let template = Template::parse(source).unwrap();
        let written = template.render(|_| Some(value), &mut out)?;
        assert_eq!((written, template.rendered_size(|_| Some(value)).unwrap()), (out.len(), out.len()));
        Ok(out)
    }

    fn secret(name: &str) -> Reference {
        Reference::Secret(SecretName::parse(name).unwrap())
    }

    #[test]
    fn references_are_replaced_and_everything_else_is_kept_to_the_byte() {
        for (source, want) in [
            (&b""[..], &b""[..]),
            (b"{{$secret.A}}", b"[v]"),
            (b"a: {{ vault.A }}\r\nb: '{{ $secrets.p.k }}'\n", b"a: [v]\r\nb: '[v]'\n"),
            (b"{{$secret.A}}{{$secret.B}}{{$secret.A}}", b"[v][v][v]"),
            (b"\xff{{$secret.A}}\xfe\0", b"\xff[v]\xfe\0"),
            (b"{\"a\":{\"b\":{{$secret.A}}}}", b"{\"a\":{\"b\":[v]}}"),
            (b"{{{$secret.A}}} {{{{vault.A}}}}", b"{{{$secret.A}}} {{{{vault.A}}}}"),
            (
                b"{{ .Values.x }} {{ user.name }} {{ vault }} {{",
                b"{{ .Values.x }} {{ user.name }} {{ vault }} {{",
            ),
            (b"{{ {{$secret.A}} }}", b"{{ [v] }}"),
            (b"${{ secrets.A }} {{- $secret.A }}", b"${{ secrets.A }} {{- $secret.A }}"),
        ] {
            let text = String::from_utf8_lossy(source);
            assert_eq!(render(source, b"[v]").unwrap(), want, "{text}");
        }
    }

    #[test]
    fn a_value_is_never_expanded_again() {
        let value = b"{{$secret.A}} {{$secret.B}} {{ vault.";
        assert_eq!(render(b"<{{$secret.A}}>", value).unwrap(), [b"<", value.as_slice(), b">"].concat());
        assert_eq!(render(b"{{{{$secret.A}}", b"x").unwrap(), b"{{{{$secret.A}}");
    }

    #[test]
    fn mentions_say_line_and_character_and_references_come_once_in_order() {
        let source = "é {{$secret.B}}\n\n\tü{{ vault.A }}{{$secret.B}}".as_bytes();
        let template = Template::parse(source).unwrap();
        assert_eq!(template.references(), [secret("B"), secret("A")]);
        let found: Vec<_> =
            template.mentions().map(|at| (at.reference.to_string(), at.line, at.column)).collect();
        let want = [("$secret.B", 1, 3), ("$secret.A", 3, 3), ("$secret.B", 3, 16)];
        assert_eq!(found, want.map(|(text, line, column)| (text.to_owned(), line, column)));
    }

    #[test]
    fn faults_say_where_and_a_survey_goes_on_behind_them() {
        let source =
            b"a\n  {{$secret.}}\n{{ vault.A }} {{ vault.b }}\n{{$secrets['{{vault.}}']['k']}} {{$secret.Z";
        let error = Template::parse(source).err().unwrap();
        assert_eq!(error.to_string(), "line 2, column 13: the name is missing: {{$secret.NAME}}");
        let (template, faults) = Template::survey(source);
        assert_eq!(template.references(), [secret("A")]);
        let places: Vec<_> = faults.iter().map(|fault| (fault.line, fault.column)).collect();
        assert_eq!(places, [(2, 13), (3, 24), (4, 11), (4, 21), (4, 44)]);
    }

    #[test]
    fn nothing_is_written_before_all_is_known_to_fit() {
        let mut out = Vec::new();
        let template = Template::parse(b"a {{$secret.A}} b {{$secret.B}}").unwrap();
        let only_a = |reference: &Reference| (*reference == secret("A")).then_some(&b"x"[..]);
        assert!(
            matches!(template.render(only_a, &mut out), Err(RenderError::Missing(name)) if name == secret("B"))
        );
        let many = b"{{$secret.A}}".repeat(17);
        let mebibyte = vec![b'x'; 1 << 20];
        let template = Template::parse(&many).unwrap();
        let error = template.render(|_| Some(&mebibyte), &mut out).err().unwrap();
        assert!(matches!(error, RenderError::TooLong(bytes) if bytes == 17 << 20), "{error}");
        assert!(out.is_empty());
        let just = Template::parse(&many[..13 * 16]).unwrap();
        assert_eq!(just.render(|_| Some(&mebibyte), &mut out).unwrap(), 16 << 20);
    }

    #[test]
    fn hostile_texts_take_linear_time() {
        let size = 4 << 20;
        let limit = Duration::from_secs(if cfg!(debug_assertions) { 60 } else { 5 });
        for unit in [
            &b"{{$secret.A}}"[..],
            b"{{",
            b"{",
            b"{ {",
            b"{{ ",
            b"{{$secrets['",
            b"{{$secrets['a']['",
            b"{{$secret.",
            b"{{vault.A",
            b"{{vault.A }",
            b"{{$secret.A}}\n",
            b"}}",
            b"{{$secrets.aaaaaaaaaaaaaaaa",
        ] {
            let text = unit.repeat(size / unit.len());
            let started = Instant::now();
            let (template, faults) = Template::survey(&text);
            assert!(faults.len() <= MAX_FAULTS);
            assert!(template.mentions().count() <= MAX_MENTIONS);
            assert!(started.elapsed() < limit, "{}: {:?}", String::from_utf8_lossy(unit), started.elapsed());
        }
        let long = [&b"{{$secret."[..], &vec![b'A'; size]].concat();
        assert!(Template::parse(&long).is_err());
        let spaces = [&b"{{"[..], &vec![b' '; size], b"vault.A", &vec![b' '; size], b"}}"].concat();
        assert_eq!(render(&spaces, b"x").unwrap(), b"x");
    }

    #[test]
    fn too_many_references_are_refused() {
        let text = b"{{vault.A}}".repeat(MAX_MENTIONS + 1);
        let error = Template::parse(&text).err().unwrap();
        assert!(matches!(error.fault, TemplateFault::TooMany) && error.line == 1, "{error}");
        assert!(Template::parse(&text[..11 * MAX_MENTIONS]).is_ok());
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, rng_seed: RngSeed::Fixed(21), ..ProptestConfig::default() })]

        #[test]
        fn any_bytes_are_read_without_panic_and_come_back(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let (template, _) = Template::survey(&bytes);
            let mut out = Vec::new();
            template.render(|_| Some(b""), &mut out).unwrap();
            if template.references().is_empty() {
                prop_assert_eq!(out, bytes);
            }
        }

        #[test]
        fn any_mixture_is_taken_apart_as_it_was_put_together(picks in prop::collection::vec(0..8usize, 0..40)) {
            let text = ["x", "{{$secret.A}}", "{{ vault.B }}", "{ x", "\n", "}}", "{{ x }}", " {{$secrets.p.k}}"];
            let done = ["x", "<A>", "<B>", "{ x", "\n", "}}", "{{ x }}", " <k>"];
            let put = |parts: [&str; 8]| picks.iter().map(|pick| parts[*pick]).collect::<Vec<_>>().concat();
            let source = put(text);
            let template = Template::parse(source.as_bytes()).unwrap();
            let mut out = Vec::new();
            let lookup = |reference: &Reference| Some(match reference {
                Reference::Secret(name) if name.as_str() == "A" => &b"<A>"[..],
                Reference::Secret(_) => b"<B>",
                Reference::Provider { .. } => b"<k>",
            });
            template.render(lookup, &mut out).unwrap();
            prop_assert_eq!(String::from_utf8(out).unwrap(), put(done));
            prop_assert_eq!(template.mentions().count(), picks.iter().filter(|pick| matches!(pick, 1 | 2 | 7)).count());
        }
    }
}

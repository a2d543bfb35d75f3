//! Generated secrets (`generate`, and "generate in place"): unbiased choices from randomness that is an argument.
//!
//! Owns the recipes, the word list and their entropy. Invariants: every choice is uniform (rejection sampling, never a
//! modulus of what does not divide), and every chosen character set appears at least once. How strong a typed
//! passphrase is, is the business of [`super::strength`].

use crate::domain::SecretValue;
use zeroize::{Zeroize, Zeroizing};

/// 2048 common words, one a line; none of them begins another, so that even joined words can be told apart.
static WORDS: &str = include_str!("../../assets/words.txt");
const WORD_COUNT: u32 = 2048;

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
/// No quotes, backslash, backtick or space: they survive copying into few files.
const SYMBOLS: &str = "!#$%&()*+,-./:;<=>?@[]^_{|}~";
const LOOK_ALIKES: &str = "0Oo1lI|";

/// Attempts before randomness that keeps being rejected is called broken; a good source needs two or three.
const MAX_TRIES: u32 = 10_000;

/// Which characters a password is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sets {
    /// `a-z`.
    pub lower: bool,
    /// `A-Z`.
    pub upper: bool,
    /// `0-9`.
    pub digits: bool,
    /// `!#$%&()*+,-./:;<=>?@[]^_{|}~`.
    pub symbols: bool,
}

impl Sets {
    /// All four.
    pub const ALL: Self = Self { lower: true, upper: true, digits: true, symbols: true };

    fn chosen(self, avoid_look_alikes: bool) -> Vec<Vec<u8>> {
        [(self.lower, LOWER), (self.upper, UPPER), (self.digits, DIGITS), (self.symbols, SYMBOLS)]
            .into_iter()
            .filter(|(wanted, _)| *wanted)
            .map(|(_, set)| {
                set.bytes().filter(|b| !avoid_look_alikes || !LOOK_ALIKES.as_bytes().contains(b)).collect()
            })
            .collect()
    }
}

/// What to generate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipe {
    /// A password; every chosen set appears at least once.
    Characters {
        /// 8 to 1024 characters.
        length: usize,
        /// At least one set.
        sets: Sets,
        /// Leaves out `0 O o 1 l I |`.
        avoid_look_alikes: bool,
    },
    /// Words of the built-in list.
    Words {
        /// 3 to 16 words.
        count: usize,
        /// Between the words: at most 8 characters, none of them a control character.
        separator: String,
    },
    /// Random bytes in lower-case hexadecimal.
    Hex {
        /// 8 to 1024 bytes.
        bytes: usize,
    },
    /// Random bytes in base64 for URLs, without padding.
    Base64Url {
        /// 8 to 1024 bytes.
        bytes: usize,
    },
    /// A random UUID (version 4).
    Uuid,
}

impl Default for Recipe {
    /// 24 characters of all sets.
    fn default() -> Self {
        Self::Characters { length: 24, sets: Sets::ALL, avoid_look_alikes: false }
    }
}

/// Why nothing was generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GenerateError {
    /// Outside 8 to 1024.
    #[error("a generated password has 8 to 1024 characters")]
    Length,
    /// All sets are off.
    #[error("choose at least one kind of characters")]
    NoSet,
    /// Outside 3 to 16.
    #[error("a generated passphrase has 3 to 16 words")]
    Count,
    /// Too long, or with a control character.
    #[error("a separator has at most 8 characters and no control characters")]
    Separator,
    /// Outside 8 to 1024.
    #[error("a generated key has 8 to 1024 bytes")]
    Bytes,
    /// The source repeats itself.
    #[error("the operating system gave no usable randomness")]
    Randomness,
}

impl Recipe {
    /// Refuses numbers outside their bounds; [`generate`] calls it, forms may call it while a person types.
    pub fn check(&self) -> Result<(), GenerateError> {
        match self {
            Self::Characters { length, .. } if !(8..=1024).contains(length) => Err(GenerateError::Length),
            Self::Characters { sets, .. } if sets.chosen(false).is_empty() => Err(GenerateError::NoSet),
            Self::Words { count, .. } if !(3..=16).contains(count) => Err(GenerateError::Count),
            Self::Words { separator, .. }
                if separator.chars().count() > 8 || separator.chars().any(char::is_control) =>
            {
                Err(GenerateError::Separator)
            }
            Self::Hex { bytes } | Self::Base64Url { bytes } if !(8..=1024).contains(bytes) => {
                Err(GenerateError::Bytes)
            }
            _ => Ok(()),
        }
    }
}

/// Generates a value from the operating system's randomness.
pub fn generate_from_system(recipe: &Recipe) -> Result<SecretValue, GenerateError> {
    let mut failed = false;
    let value = generate(recipe, &mut |buffer| failed |= super::random::fill(buffer).is_err())?;
    if failed { Err(GenerateError::Randomness) } else { Ok(value) }
}

/// Generates a value. `fill` fills a buffer with random bytes; see [`generate_from_system`].
pub fn generate(recipe: &Recipe, fill: &mut dyn FnMut(&mut [u8])) -> Result<SecretValue, GenerateError> {
    recipe.check()?;
    let text = match recipe {
        Recipe::Characters { length, sets, avoid_look_alikes } => {
            characters(*length, &sets.chosen(*avoid_look_alikes), fill)?
        }
        Recipe::Words { count, separator } => words(*count, separator, fill)?,
        Recipe::Hex { bytes } => {
            let raw = random_bytes(*bytes, fill);
            let mut text = Zeroizing::new(Vec::with_capacity(bytes * 2));
            let digits = b"0123456789abcdef";
            text.extend(
                raw.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|n| digits.get(usize::from(n))),
            );
            text
        }
        Recipe::Base64Url { bytes } => {
            use base64::Engine;
            let raw = random_bytes(*bytes, fill);
            Zeroizing::new(base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(raw.as_slice()).into_bytes())
        }
        Recipe::Uuid => uuid(fill),
    };
    own(text)
}

/// Bits of entropy of what the recipe gives: the logarithm of the number of equally likely results. 0 for a recipe that
/// [`Recipe::check`] refuses.
pub fn entropy_bits(recipe: &Recipe) -> f64 {
    if recipe.check().is_err() {
        return 0.0;
    }
    match recipe {
        Recipe::Characters { length, sets, avoid_look_alikes } => {
            let sizes: Vec<f64> =
                sets.chosen(*avoid_look_alikes).iter().map(|set| set.len() as f64).collect();
            let all: f64 = sizes.iter().sum();
            let length = *length as f64;
            // inclusion and exclusion: the share of texts in which no chosen set is missing
            let share: f64 = (0..1u32 << sizes.len())
                .map(|missing| {
                    let without: f64 =
                        (0u32..).zip(&sizes).filter(|(i, _)| missing >> i & 1 == 1).map(|(_, n)| n).sum();
                    let sign = if missing.count_ones() % 2 == 0 { 1.0 } else { -1.0 };
                    sign * ((all - without) / all).powf(length)
                })
                .sum();
            length * all.log2() + share.log2()
        }
        Recipe::Words { count, .. } => *count as f64 * f64::from(WORD_COUNT).log2(),
        Recipe::Hex { bytes } | Recipe::Base64Url { bytes } => *bytes as f64 * 8.0,
        Recipe::Uuid => 122.0,
    }
}

fn characters(
    length: usize,
    sets: &[Vec<u8>],
    fill: &mut dyn FnMut(&mut [u8]),
) -> Result<Zeroizing<Vec<u8>>, GenerateError> {
    let alphabet: Vec<u8> = sets.concat();
    let size = u32::try_from(alphabet.len()).map_err(|_| GenerateError::NoSet)?;
    let mut text = Zeroizing::new(Vec::with_capacity(length));
    for _ in 0..MAX_TRIES {
        text.clear();
        while text.len() < length {
            let at = below(size, fill)?;
            text.extend(alphabet.get(at as usize));
        }
        // to draw the whole text again keeps all acceptable texts equally likely; placing one of each set would not
        if sets.iter().all(|set| text.iter().any(|b| set.contains(b))) {
            return Ok(text);
        }
    }
    Err(GenerateError::Randomness)
}

fn words(
    count: usize,
    separator: &str,
    fill: &mut dyn FnMut(&mut [u8]),
) -> Result<Zeroizing<Vec<u8>>, GenerateError> {
    let list: Vec<&str> = WORDS.lines().collect();
    let mut text = Zeroizing::new(Vec::with_capacity(count * (8 + separator.len())));
    for n in 0..count {
        if n > 0 {
            text.extend_from_slice(separator.as_bytes());
        }
        let at = below(WORD_COUNT, fill)?;
        text.extend_from_slice(list.get(at as usize).unwrap_or(&"").as_bytes());
    }
    Ok(text)
}

fn uuid(fill: &mut dyn FnMut(&mut [u8])) -> Zeroizing<Vec<u8>> {
    let mut raw = Zeroizing::new([0u8; 16]);
    fill(raw.as_mut_slice());
    let number = u128::from_be_bytes(*raw) & !(0xf << 76) | 4 << 76;
    let number = Zeroizing::new(number & !(0b11 << 62) | 0b10 << 62);
    let mut text = Zeroizing::new(Vec::with_capacity(36));
    for place in (0..32u32).rev() {
        if matches!(place, 23 | 19 | 15 | 11) {
            text.push(b'-');
        }
        let nibble = (*number >> (place * 4)) & 15;
        text.extend(char::from_digit(nibble as u32, 16).map(|c| c as u8));
    }
    text
}

fn random_bytes(count: usize, fill: &mut dyn FnMut(&mut [u8])) -> Zeroizing<Vec<u8>> {
    let mut raw = Zeroizing::new(vec![0; count]);
    fill(&mut raw);
    raw
}

/// A uniform number below `limit`.
fn below(limit: u32, fill: &mut dyn FnMut(&mut [u8])) -> Result<u32, GenerateError> {
    let usable = u32::MAX - u32::MAX % limit; // a multiple of limit; what is at or above it would favour small numbers
    for _ in 0..MAX_TRIES {
        let mut raw = [0u8; 4];
        fill(&mut raw);
        let number = u32::from_le_bytes(raw);
        raw.zeroize();
        if number < usable {
            return Ok(number % limit);
        }
    }
    Err(GenerateError::Randomness)
}

fn own(mut text: Zeroizing<Vec<u8>>) -> Result<SecretValue, GenerateError> {
    SecretValue::new(std::mem::take(&mut *text)).map_err(|_| GenerateError::Length)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// A small deterministic generator: enough to look uniform, and the same in every run.
    fn seeded(mut state: u64) -> impl FnMut(&mut [u8]) {
        move |buffer: &mut [u8]| {
            for byte in buffer {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                *byte = (state >> 56) as u8;
            }
        }
    }

    fn text(recipe: &Recipe, seed: u64) -> String {
        generate(recipe, &mut seeded(seed)).unwrap().expose_text().unwrap().to_owned()
    }

    fn of(length: usize) -> Recipe {
        Recipe::Characters { length, sets: Sets::ALL, avoid_look_alikes: true }
    }

    #[test]
    fn the_word_list_holds_2048_distinct_words_none_of_which_begins_another() {
        let words: Vec<&str> = WORDS.lines().collect();
        assert_eq!(words.len(), WORD_COUNT as usize);
        assert!(words.windows(2).all(|pair| pair[0] < pair[1] && !pair[1].starts_with(pair[0])));
        assert!(
            words.iter().all(|w| (3..=8).contains(&w.len()) && w.bytes().all(|b| b.is_ascii_lowercase()))
        );
    }

    #[test]
    fn every_chosen_set_appears_and_look_alikes_do_not() {
        for seed in 0..200 {
            let made = text(&of(8), seed);
            assert_eq!(made.len(), 8);
            for set in [LOWER, UPPER, DIGITS, SYMBOLS] {
                assert!(made.contains(|c| set.contains(c)), "{made}");
            }
            assert!(!made.contains(|c| LOOK_ALIKES.contains(c)), "{made}");
        }
        let digits = Sets { lower: false, upper: false, digits: true, symbols: false };
        let pin = text(&Recipe::Characters { length: 12, sets: digits, avoid_look_alikes: false }, 7);
        assert!(pin.bytes().all(|b| b.is_ascii_digit()));
    }

    #[test]
    fn every_character_is_about_equally_likely() {
        let sets = Sets { lower: true, upper: false, digits: true, symbols: false };
        let made = text(&Recipe::Characters { length: 1024, sets, avoid_look_alikes: false }, 3);
        let mut all = made.clone();
        for seed in 10..40 {
            all += &text(&Recipe::Characters { length: 1024, sets, avoid_look_alikes: false }, seed);
        }
        let expected = all.len() as f64 / 36.0;
        for c in LOWER.chars().chain(DIGITS.chars()) {
            let seen = all.matches(c).count() as f64;
            assert!((seen - expected).abs() < expected * 0.2, "{c}: {seen} of {expected}");
        }
    }

    #[test]
    fn numbers_that_would_be_biased_are_drawn_again() {
        let mut draws = vec![7u32, u32::MAX]; // popped from the end
        let mut fill = |buffer: &mut [u8]| buffer.copy_from_slice(&draws.pop().unwrap().to_le_bytes());
        assert_eq!(below(10, &mut fill), Ok(7));
        assert!(draws.is_empty());
        assert_eq!(below(10, &mut |buffer| buffer.fill(0xff)), Err(GenerateError::Randomness));
    }

    #[test]
    fn a_source_that_repeats_itself_is_an_error_not_a_password() {
        assert_eq!(generate(&of(16), &mut |buffer| buffer.fill(0)).err(), Some(GenerateError::Randomness));
    }

    #[test]
    fn words_hex_base64_and_uuid_have_their_shapes() {
        let made = text(&Recipe::Words { count: 6, separator: "-".into() }, 5);
        let list: BTreeSet<&str> = WORDS.lines().collect();
        assert_eq!(made.split('-').filter(|word| list.contains(word)).count(), 6, "{made}");
        let hex = text(&Recipe::Hex { bytes: 32 }, 5);
        assert!(hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_hexdigit() && !b.is_ascii_uppercase()));
        assert_eq!(text(&Recipe::Base64Url { bytes: 32 }, 5).len(), 43);
        let mut ones = |buffer: &mut [u8]| buffer.fill(0xff);
        assert_eq!(
            generate(&Recipe::Uuid, &mut ones).unwrap().expose(),
            b"ffffffff-ffff-4fff-bfff-ffffffffffff"
        );
    }

    #[test]
    fn bounds_are_refused() {
        let words = |count, separator: &str| Recipe::Words { count, separator: separator.into() };
        let none = Sets { lower: false, upper: false, digits: false, symbols: false };
        for (recipe, error) in [
            (of(7), GenerateError::Length),
            (of(1025), GenerateError::Length),
            (Recipe::Characters { length: 20, sets: none, avoid_look_alikes: false }, GenerateError::NoSet),
            (words(2, "-"), GenerateError::Count),
            (words(17, "-"), GenerateError::Count),
            (words(5, "123456789"), GenerateError::Separator),
            (words(5, "\n"), GenerateError::Separator),
            (Recipe::Hex { bytes: 7 }, GenerateError::Bytes),
            (Recipe::Base64Url { bytes: 1025 }, GenerateError::Bytes),
        ] {
            assert_eq!(recipe.check(), Err(error));
            assert_eq!(generate(&recipe, &mut seeded(1)).err(), Some(error));
            assert!(entropy_bits(&recipe) == 0.0);
        }
    }

    #[test]
    fn entropy_counts_the_equally_likely_results() {
        let close = |recipe: &Recipe, want: f64| {
            let bits = entropy_bits(recipe);
            assert!((bits - want).abs() < 0.01, "{recipe:?}: {bits}");
        };
        close(&Recipe::Words { count: 6, separator: " ".into() }, 66.0);
        close(&Recipe::Hex { bytes: 32 }, 256.0);
        close(&Recipe::Uuid, 122.0);
        let digits = Sets { lower: false, upper: false, digits: true, symbols: false };
        close(&Recipe::Characters { length: 8, sets: digits, avoid_look_alikes: false }, 26.575);
        // 8 of digits or lower case, with at least one of each: 36^8 - 26^8 - 10^8
        let both = Sets { lower: true, upper: false, digits: true, symbols: false };
        let count = 36f64.powi(8) - 26f64.powi(8) - 10f64.powi(8);
        close(&Recipe::Characters { length: 8, sets: both, avoid_look_alikes: false }, count.log2());
    }
}

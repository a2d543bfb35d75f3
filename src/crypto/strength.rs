//! How hard a typed passphrase is to guess, for the meter of the first-run wizard and of `passwd`.
//!
//! An estimate by zxcvbn, never a gate by itself. zxcvbn keeps fragments of what it looks at in ordinary memory until
//! it returns, so it is called on passphrases that a person is choosing, and on nothing else.

use crate::domain::Passphrase;
use zxcvbn::feedback::{Suggestion, Warning};

/// Characters that are looked at: the cost grows faster than the length, and more changes no verdict.
const LOOKED_AT: usize = 100;

/// The verdict on a passphrase.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Strength {
    /// 0 (guessed at once) to 4 (fine).
    pub score: u8,
    /// Decimal logarithm of the estimated number of guesses.
    pub guesses_log10: f64,
    /// One sentence on what would help most; empty if there is nothing to say.
    pub advice: &'static str,
}

/// Estimates. Takes milliseconds; only the first 100 characters count.
pub fn strength(passphrase: &Passphrase) -> Strength {
    let text = passphrase.expose();
    let end = text.char_indices().nth(LOOKED_AT).map_or(text.len(), |(at, _)| at);
    if text.is_empty() {
        return Strength {
            score: 0,
            guesses_log10: 0.0,
            advice: "type a passphrase: four or more random words are good",
        };
    }
    let found = zxcvbn::zxcvbn(text.get(..end).unwrap_or(text), &[]);
    let advice = found.feedback().map_or("", |feedback| match feedback.warning() {
        Some(warning) => warned(warning),
        None => feedback.suggestions().first().copied().map_or("", suggested),
    });
    Strength { score: u8::from(found.score()), guesses_log10: found.guesses_log10(), advice }
}

fn warned(warning: Warning) -> &'static str {
    use Warning as W;
    match warning {
        W::StraightRowsOfKeysAreEasyToGuess | W::ShortKeyboardPatternsAreEasyToGuess => {
            "rows of the keyboard are easy to guess"
        }
        W::RepeatsLikeAaaAreEasyToGuess | W::RepeatsLikeAbcAbcAreOnlySlightlyHarderToGuess => {
            "repetition is easy to guess"
        }
        W::ThisIsATop10Password | W::ThisIsATop100Password | W::ThisIsACommonPassword => {
            "this is one of the most common passwords"
        }
        W::ThisIsSimilarToACommonlyUsedPassword => "this is close to a common password",
        W::SequencesLikeAbcAreEasyToGuess => "sequences such as abc or 6543 are easy to guess",
        W::RecentYearsAreEasyToGuess | W::DatesAreOftenEasyToGuess => "years and dates are easy to guess",
        W::AWordByItselfIsEasyToGuess => "one word alone is easy to guess: use four or more",
        W::NamesAndSurnamesByThemselvesAreEasyToGuess | W::CommonNamesAndSurnamesAreEasyToGuess => {
            "names are easy to guess"
        }
    }
}

fn suggested(suggestion: Suggestion) -> &'static str {
    use Suggestion as S;
    match suggestion {
        S::CapitalizationDoesntHelpVeryMuch | S::AllUppercaseIsAlmostAsEasyToGuessAsAllLowercase => {
            "capital letters help little: add a word"
        }
        S::ReversedWordsArentMuchHarderToGuess | S::PredictableSubstitutionsDontHelpVeryMuch => {
            "reversed words and @ for a help little: add a word"
        }
        S::UseALongerKeyboardPatternWithMoreTurns => "rows of the keyboard are easy to guess",
        S::AvoidRepeatedWordsAndCharacters => "repetition is easy to guess",
        S::AvoidSequences => "sequences are easy to guess",
        S::AvoidRecentYears
        | S::AvoidYearsThatAreAssociatedWithYou
        | S::AvoidDatesAndYearsThatAreAssociatedWithYou => "years and dates are easy to guess",
        S::UseAFewWordsAvoidCommonPhrases
        | S::NoNeedForSymbolsDigitsOrUppercaseLetters
        | S::AddAnotherWordOrTwo => "add another word or two; uncommon ones are better",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Strength {
        strength(&Passphrase::new(text.to_owned()))
    }

    #[test]
    fn weak_passphrases_are_told_why_and_strong_ones_are_left_alone() {
        for weak in ["", "password", "qwertyuiop", "aaaaaaaaaa", "abcdefgh", "1990"] {
            let verdict = of(weak);
            assert!(verdict.score <= 1 && !verdict.advice.is_empty(), "{weak}: {verdict:?}");
        }
        let good = of("walnut orbit seventeen velvet tugboat");
        assert_eq!((good.score, good.advice), (4, ""));
        assert!(good.guesses_log10 > 15.0);
    }

    #[test]
    fn a_very_long_passphrase_is_judged_by_its_beginning() {
        let long = "é".repeat(5_000);
        assert!(of(&long).guesses_log10.is_finite());
    }
}

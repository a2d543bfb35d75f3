//! Recipes for random values as words on the command line: `password:32`, `words:6`, `hex:32`, `uuid`.

use super::stop::{usage, wrap};
use crate::{
    crypto::generate::{Recipe, Sets, generate_from_system},
    domain::SecretValue,
    service::{ErrorKind, ServiceError},
};

/// Reads a recipe.
pub(crate) fn parse(text: &str) -> Result<Recipe, ServiceError> {
    let (kind, number) = match text.split_once(':') {
        Some((kind, number)) => (kind, Some(number)),
        None => (text, None),
    };
    let size = |default: usize| match number {
        None => Ok(default),
        Some(digits) => {
            digits.parse().map_err(|_| usage("the number of a recipe is a whole number, as in hex:32"))
        }
    };
    let characters = |length: usize, symbols: bool, easy: bool| Recipe::Characters {
        length,
        sets: Sets { symbols, ..Sets::ALL },
        avoid_look_alikes: easy,
    };
    match kind {
        "password" => Ok(characters(size(24)?, true, false)),
        "alnum" => Ok(characters(size(32)?, false, false)),
        "easy" => Ok(characters(size(24)?, false, true)),
        "words" => Ok(Recipe::Words { count: size(6)?, separator: "-".to_owned() }),
        "hex" => Ok(Recipe::Hex { bytes: size(32)? }),
        "base64" => Ok(Recipe::Base64Url { bytes: size(32)? }),
        "uuid" if number.is_none() => Ok(Recipe::Uuid),
        "uuid" => Err(usage("a uuid has no size")),
        _ => Err(usage("no such recipe; there are password, alnum, easy, words, hex, base64 and uuid")
            .hint("sealbox help generate")),
    }
}

/// Makes a value by a recipe, with the system's randomness.
pub(crate) fn make(recipe: &Recipe) -> Result<SecretValue, ServiceError> {
    generate_from_system(recipe).map_err(|error| wrap(ErrorKind::Usage, &error))
}

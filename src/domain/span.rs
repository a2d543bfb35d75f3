//! Spans of time as people write them: `30m`, `12h`, `90d`, `2w`.
//!
//! Owns the spelling, both ways, and the bounds of a rotation interval. No clock: what is due is decided by whoever
//! knows the time.

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;

/// The shortest rotation interval, in seconds: an hour.
pub const SHORTEST_ROTATION: u64 = HOUR;
/// The longest rotation interval, in seconds: 3650 days.
pub const LONGEST_ROTATION: u64 = 3650 * DAY;

/// A whole number and a unit (`m`, `h`, `d` or `w`), in seconds; `None` for anything else, for zero, and for what is
/// longer than a thousand years.
pub fn parse(text: &str) -> Option<u64> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let unit = match unit {
        "m" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        "w" => WEEK,
        _ => return None,
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds = digits.parse::<u64>().ok()?.checked_mul(unit)?;
    (1..=365_000 * DAY).contains(&seconds).then_some(seconds)
}

/// A rotation interval in seconds, or `None` for `off`.
///
/// # Errors
/// What it must look like.
pub fn parse_rotation(text: &str) -> Result<Option<u64>, &'static str> {
    if text == "off" {
        return Ok(None);
    }
    parse(text)
        .filter(|seconds| (SHORTEST_ROTATION..=LONGEST_ROTATION).contains(seconds) && !text.ends_with('m'))
        .map(Some)
        .ok_or("a rotation interval is `off`, or 1h to 3650d, such as 12h, 90d or 26w")
}

/// The largest unit that says it exactly: `90 d`, `36 h`, `45 min`, `10 s`.
pub fn words(seconds: u64) -> String {
    match seconds {
        s if s >= DAY && s.is_multiple_of(DAY) => format!("{} d", s / DAY),
        s if s >= HOUR && s.is_multiple_of(HOUR) => format!("{} h", s / HOUR),
        s if s >= MINUTE && s.is_multiple_of(MINUTE) => format!("{} min", s / MINUTE),
        s => format!("{s} s"),
    }
}

/// Roughly how long, rounded down to days, hours or minutes: for a glance.
pub fn about(seconds: u64) -> String {
    match seconds {
        s if s >= DAY => format!("{} d", s / DAY),
        s if s >= HOUR => format!("{} h", s / HOUR),
        s => format!("{} min", s / MINUTE),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_one_spelling() {
        for (text, seconds) in [("30m", 1_800), ("12h", 43_200), ("90d", 7_776_000), ("2w", 1_209_600)] {
            assert_eq!(parse(text), Some(seconds), "{text}");
        }
        for bad in ["", "d", "90", "+3d", "-1d", "1.5d", "0d", "3 d", "3é", "90D", "99999999999999999999d"] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_rotation_interval_is_off_or_within_its_bounds() {
        assert_eq!(parse_rotation("off"), Ok(None));
        assert_eq!(parse_rotation("1h"), Ok(Some(3_600)));
        assert_eq!(parse_rotation("3650d"), Ok(Some(LONGEST_ROTATION)));
        for bad in ["0d", "3651d", "60m", "never", ""] {
            assert!(parse_rotation(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn words_are_exact_and_about_is_short() {
        assert_eq!(words(7_776_000), "90 d");
        assert_eq!(words(36 * 3600), "36 h");
        assert_eq!(words(90), "90 s");
        assert_eq!(about(7_776_000 + 3599), "90 d");
        assert_eq!(about(3 * 3600 + 59), "3 h");
        assert_eq!(about(59), "0 min");
    }
}

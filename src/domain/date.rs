//! Dates as people read them: RFC 3339 for machines, the local minute for tables, "3 h ago" for a glance.
//!
//! Owns formatting only. `now` is always an argument. Every input has an answer: a time beyond the calendar is shown as
//! the last moment of it, because dates are claims of other people (SPEC 1.5) and must not fail a list.

use jiff::{Timestamp, tz::TimeZone};

/// RFC 3339 in UTC with seconds: `2026-11-21T09:15:07Z`.
pub fn iso(ms: u64) -> String {
    timestamp(ms).strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// Local date and minute: `2026-11-21 09:15`.
pub fn local_minute(ms: u64) -> String {
    minute_in(ms, TimeZone::system())
}

/// `just now`, `5 min ago`, `3 h ago`, `2 d ago` (up to a week), otherwise [`local_minute`]. A time in the future is
/// shown as its date, never as a guess.
pub fn ago(ms: u64, now_ms: u64) -> String {
    const MINUTE: u64 = 60_000;
    const HOUR: u64 = 60 * MINUTE;
    const DAY: u64 = 24 * HOUR;
    match now_ms.checked_sub(ms) {
        Some(age) if age < MINUTE => "just now".to_owned(),
        Some(age) if age < HOUR => format!("{} min ago", age / MINUTE),
        Some(age) if age < DAY => format!("{} h ago", age / HOUR),
        Some(age) if age < 7 * DAY => format!("{} d ago", age / DAY),
        _ => local_minute(ms),
    }
}

fn minute_in(ms: u64, zone: TimeZone) -> String {
    timestamp(ms).to_zoned(zone).strftime("%Y-%m-%d %H:%M").to_string()
}

fn timestamp(ms: u64) -> Timestamp {
    i64::try_from(ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn iso_is_sane_over_the_whole_range() {
        assert_eq!(iso(0), "1970-01-01T00:00:00Z");
        assert_eq!(iso(1_795_252_507_999), "2026-11-21T09:15:07Z");
        assert_eq!(iso(4_294_967_296_000), "2106-02-07T06:28:16Z");
        assert!(iso(u64::MAX).starts_with("9999-12-30T"), "{}", iso(u64::MAX));
    }

    #[test]
    fn the_local_minute_follows_the_zone() {
        let east = TimeZone::fixed(jiff::tz::offset(2));
        assert_eq!(minute_in(1_795_252_507_999, TimeZone::UTC), "2026-11-21 09:15");
        assert_eq!(minute_in(1_795_252_507_999, east.clone()), "2026-11-21 11:15");
        assert!(minute_in(u64::MAX, east).starts_with("9999-12-3"));
        assert!(!local_minute(0).is_empty());
    }

    #[test]
    fn ages_are_rounded_down_and_the_future_is_a_date() {
        let now = 1_795_252_507_000;
        for (age_s, want) in [
            (0, "just now"),
            (59, "just now"),
            (60, "1 min ago"),
            (3_599, "59 min ago"),
            (3_600, "1 h ago"),
            (86_399, "23 h ago"),
            (86_400, "1 d ago"),
            (7 * 86_400 - 1, "6 d ago"),
        ] {
            assert_eq!(ago(now - age_s * 1000, now), want);
        }
        assert_eq!(ago(now - 7 * 86_400_000, now), local_minute(now - 7 * 86_400_000));
        assert_eq!(ago(now + 1, now), local_minute(now + 1));
        assert_eq!(ago(u64::MAX, now), local_minute(u64::MAX));
    }
}

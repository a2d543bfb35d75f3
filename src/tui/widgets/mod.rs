//! Small drawing parts that know the theme and nothing of secrets' meaning: paint, text entry, meter, key hints.

pub(crate) mod entry;
pub(crate) mod paint;
pub(crate) mod scroll;

pub(crate) use entry::{Edit, Entry, Kind, Look};
pub(crate) use paint::Paint;
pub(crate) use scroll::Scroll;

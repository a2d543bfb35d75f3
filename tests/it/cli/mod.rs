//! The command line, through the real binary. Each run derives a real key (64 MiB), so runs are spent with care.

mod asking;
mod docs;
mod edges;
mod leaks;
mod names;
mod people;
mod records;
mod secrets;
mod transfer;
mod values;
mod vault;

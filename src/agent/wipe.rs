//! What plaintext leaves behind on a stack.

use std::hint::black_box;
use zeroize::Zeroize;

/// More than any request takes of a worker's stack while a value is in reach.
const DEPTH: usize = 192 * 1024;

/// Overwrites the stack below the caller. Called by a worker after each request, when everything that touched plaintext has
/// returned.
#[inline(never)]
pub(super) fn stack() {
    let mut below = [0u8; DEPTH];
    black_box(&mut below).zeroize();
}

//! What plaintext leaves behind on a stack.

use crate::service::Request;
use std::hint::black_box;

/// More than a request takes of a worker's stack while a value is in reach.
const DEPTH: usize = 128 * 1024;

/// False for questions that no value, passphrase or key comes near to: wiping after those would only cost time.
pub(super) fn is_needed_after(request: &Request) -> bool {
    !matches!(
        request,
        Request::Status(_)
            | Request::Touch(_)
            | Request::ListScopes(_)
            | Request::ListSecrets(_)
            | Request::ListMembers(_)
            | Request::GetHistory(_)
            | Request::GetLog(_)
    )
}

/// Overwrites the stack below the caller. Called by a worker when everything that touched plaintext has returned.
#[inline(never)]
pub(super) fn stack() {
    // what black_box may look at must be there: the zeros are written
    black_box(&mut [0u8; DEPTH]);
}

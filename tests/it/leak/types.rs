//! R39: types that hold secrets cannot be printed, cloned or serialized. A probe asks the compiler: the inherent method
//! exists only where the trait is implemented, and wins over the trait's method of the same name, which says no.

use sealbox::crypto::fingerprint::{FingerprintSet, Matcher};
use sealbox::crypto::identity_file::IdentityFile;
use sealbox::crypto::{FullKey, Identity, MetaKey, RecoveryKey, SecretKey, sign::SignKey};
use sealbox::domain::{Passphrase, SecretValue};
use sealbox::service::{Answer, Exported, Request, Revealed};
use sealbox::vault::{Prepared, Reading, Vault};
use std::marker::PhantomData;

struct Probe<T>(PhantomData<T>);

trait No {
    fn debug(&self) -> bool {
        false
    }
    fn display(&self) -> bool {
        false
    }
    fn clone_(&self) -> bool {
        false
    }
    fn copy(&self) -> bool {
        false
    }
    fn equal(&self) -> bool {
        false
    }
    fn serialize(&self) -> bool {
        false
    }
}

impl<T> No for Probe<T> {}

impl<T: std::fmt::Debug> Probe<T> {
    fn debug(&self) -> bool {
        true
    }
}

impl<T: std::fmt::Display> Probe<T> {
    fn display(&self) -> bool {
        true
    }
}

impl<T: Clone> Probe<T> {
    fn clone_(&self) -> bool {
        true
    }
}

impl<T: Copy> Probe<T> {
    fn copy(&self) -> bool {
        true
    }
}

impl<T: PartialEq> Probe<T> {
    fn equal(&self) -> bool {
        true
    }
}

impl<T: serde::Serialize> Probe<T> {
    fn serialize(&self) -> bool {
        true
    }
}

macro_rules! traits_of {
    ($type:ty) => {{
        let probe = Probe::<$type>(PhantomData);
        [
            ("Debug", probe.debug()),
            ("Display", probe.display()),
            ("Clone", probe.clone_()),
            ("Copy", probe.copy()),
            ("PartialEq", probe.equal()),
            ("Serialize", probe.serialize()),
        ]
        .into_iter()
        .filter_map(|(name, has)| has.then_some(name))
        .collect::<Vec<_>>()
    }};
}

macro_rules! silent {
    ($($type:ty),+ $(,)?) => {$(
        assert!(traits_of!($type).is_empty(), "{} implements {:?}", stringify!($type), traits_of!($type));
    )+};
}

#[test]
fn the_probe_sees_what_a_type_implements() {
    assert_eq!(traits_of!(String), ["Debug", "Display", "Clone", "PartialEq", "Serialize"]);
    assert_eq!(traits_of!(u8), ["Debug", "Display", "Clone", "Copy", "PartialEq", "Serialize"]);
}

#[test]
fn types_that_hold_secrets_have_no_trait_that_could_let_them_out() {
    silent!(
        SecretValue,
        Passphrase,
        SecretKey,
        FullKey,
        MetaKey,
        Identity,
        IdentityFile,
        RecoveryKey,
        SignKey,
        Vault,
        FingerprintSet,
        Matcher,
        Prepared,
        Reading,
        sealbox::resolve::Item,
        sealbox::resolve::Redaction,
        sealbox::resolve::Redactor,
    );
}

#[test]
fn messages_that_carry_values_travel_and_do_nothing_else() {
    for traits in [
        traits_of!(Request),
        traits_of!(Answer),
        traits_of!(Revealed),
        traits_of!(Exported),
        traits_of!(sealbox::service::Resolved),
        traits_of!(sealbox::service::ResolvedItem),
        traits_of!(sealbox::service::Fingerprinted),
        traits_of!(sealbox::service::RecoveryKey),
        traits_of!(sealbox::service::SetSecret),
        traits_of!(sealbox::service::Unlock),
        traits_of!(sealbox::service::Import),
        traits_of!(sealbox::service::Recover),
    ] {
        assert_eq!(traits, ["Serialize"]);
    }
}

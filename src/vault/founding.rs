//! Founding a scope: one genesis entry with its owners, their boxes and the scope's name (SPEC 1.5).

use super::error::VaultError;
use crate::chain::{Body, BoxFor, Draft, GenesisBody, Header, OwnerIn};
use crate::crypto::{FullKey, Identity, PublicId, Subject, boxes, sha256};
use crate::domain::{KeyClass, ScopeId};

/// Builds and signs a genesis entry; `founder` must be among `owners`. The scope's id is the hash of the bytes.
/// AAD inside a genesis names no scope, because the id does not exist yet; the commitments, which every recipient
/// checks, and the hash bind them instead.
pub(super) fn found(
    founder: &Identity,
    owners: &[(PublicId, &str)],
    parent: ScopeId,
    label: &str,
    time_ms: u64,
) -> Result<(ScopeId, Vec<u8>), VaultError> {
    let key = FullKey::generate()?;
    let meta = key.meta()?;
    let none = ScopeId::NONE.0;
    let mut sealed = GenesisBody {
        parent,
        owners: Vec::new(),
        commit_full: key.commitment()?,
        commit_meta: meta.commitment()?,
        boxes: Vec::new(),
        label: meta.seal_name(&none, Subject::Scope, label)?,
    };
    for (id, label) in owners {
        let label = meta.seal_name(&none, Subject::Member(&id.sign), label)?;
        sealed.owners.push(OwnerIn { id: *id, label });
        sealed.boxes.push(seal_box(id, &ScopeId::NONE, 1, KeyClass::Full, &key.expose())?);
    }
    let header =
        Header { scope: ScopeId::NONE, seq: 0, prev: [0; 32], author: founder.public().sign, time_ms };
    let entry = Draft { header, body: Body::Genesis(sealed) }.sign(&founder.signer()?)?;
    Ok((ScopeId(sha256(&entry)), entry))
}

/// Seals a scope key to one member.
pub(super) fn seal_box(
    to: &PublicId,
    scope: &ScopeId,
    generation: u32,
    class: KeyClass,
    key: &[u8; 32],
) -> Result<BoxFor, VaultError> {
    let context = boxes::BoxContext { scope: &scope.0, generation, recipient: &to.sign, class };
    Ok(BoxFor { recipient: to.sign, class, sealed: boxes::seal(&to.boxed, context, key)? })
}

//! Projects: a scope of their own, and a signed `child` entry in the organization so that nobody can hide one.

use super::error::VaultError;
use super::founding::found;
use super::session::{Plan, Vault};
use crate::chain::Body;
use crate::domain::{ProjectName, Role, ScopeRef};
use crate::store::NewEntry;

impl Vault {
    /// Founds a project in one transaction; every present owner of the organization becomes an owner of it.
    pub fn create_project(&mut self, name: &ProjectName) -> Result<(), VaultError> {
        let organization = ScopeRef::Organization;
        self.write(&organization, Role::Owner, |vault, space| {
            if vault.spaces().iter().any(|(scope, _)| *scope == ScopeRef::Project(name.clone())) {
                return Err(VaultError::ProjectExists(name.to_string()));
            }
            let state = space.state()?;
            let labels: Vec<_> = state
                .present()
                .filter(|(_, role)| *role == Role::Owner)
                .map(|(member, _)| (member.id, space.person(&member.id.sign)))
                .collect();
            let owners: Vec<_> = labels.iter().map(|(id, label)| (*id, label.as_str())).collect();
            let (id, genesis) =
                found(&vault.identity, &owners, space.id, name.as_str(), vault.clock.wall_ms())?;
            Ok((
                Plan {
                    bodies: vec![Body::Child(id)],
                    others: vec![NewEntry { scope: id, seq: 0, body: genesis }],
                    ..Plan::default()
                },
                (),
            ))
        })
    }
}

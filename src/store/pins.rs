//! Pins: of each scope, the newest entry that this machine has verified (SPEC 1.8).
//!
//! They live outside the store, so that whoever serves an older or another store is noticed. A pin only ever moves
//! forward; [`Pins::force`] is the one exception, for a rollback that a person accepted. Losing this file loses the
//! memory, not the data, so it is written with `synchronous=NORMAL`.

use super::{StoreError, sqlite::describe};
use crate::domain::ScopeId;
use crate::platform::{failpoint, files};
use rusqlite::{Connection, OptionalExtension, params};
use std::{path::Path, time::Duration};

/// The pins of one vault.
pub struct Pins {
    connection: Connection,
    location: String,
}

impl Pins {
    /// Opens the file, making it (0600) if there is none.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let location = path.display().to_string();
        let io = |source| StoreError::Io { location: location.clone(), source };
        match files::create_private_new(path, b"") {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(io(error)),
            _ => {}
        }
        files::narrow(path).map_err(io)?;
        let run = || -> Result<Connection, rusqlite::Error> {
            let db = Connection::open(path)?;
            db.busy_timeout(Duration::from_secs(20))?;
            db.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
            db.pragma_update(None, "synchronous", "NORMAL")?;
            db.execute(
                "CREATE TABLE IF NOT EXISTS pin(scope BLOB PRIMARY KEY, seq INTEGER NOT NULL, hash BLOB NOT NULL) WITHOUT ROWID",
                [],
            )?;
            Ok(db)
        };
        let connection = run().map_err(|error| describe(&location, &error))?;
        Ok(Self { connection, location })
    }

    /// Position and hash of a scope's pin.
    pub fn get(&self, scope: &ScopeId) -> Result<Option<(u64, [u8; 32])>, StoreError> {
        self.connection
            .query_row("SELECT seq, hash FROM pin WHERE scope=?1", params![scope.0], |row| {
                Ok((row.get::<_, i64>(0)?, row.get::<_, [u8; 32]>(1)?))
            })
            .optional()
            .map(|pin| pin.and_then(|(seq, hash)| Some((u64::try_from(seq).ok()?, hash))))
            .map_err(|error| describe(&self.location, &error))
    }

    /// Every pinned scope.
    pub fn scopes(&self) -> Result<Vec<ScopeId>, StoreError> {
        let run = || -> Result<Vec<ScopeId>, rusqlite::Error> {
            let mut select = self.connection.prepare("SELECT scope FROM pin ORDER BY scope")?;
            let rows = select.query_map([], |row| row.get::<_, [u8; 32]>(0).map(ScopeId))?;
            rows.collect()
        };
        run().map_err(|error| describe(&self.location, &error))
    }

    /// Moves a pin forward; does nothing if it is there or further already.
    pub fn advance(&self, scope: &ScopeId, seq: u64, hash: &[u8; 32]) -> Result<(), StoreError> {
        failpoint::step("pins: before advance");
        self.write(
            "INSERT INTO pin VALUES(?1,?2,?3) ON CONFLICT(scope) DO UPDATE SET seq=excluded.seq, hash=excluded.hash WHERE excluded.seq > seq",
            scope,
            seq,
            hash,
        )
    }

    /// Sets a pin, also backwards: only after a person accepted a rollback.
    pub fn force(&self, scope: &ScopeId, seq: u64, hash: &[u8; 32]) -> Result<(), StoreError> {
        self.write("INSERT OR REPLACE INTO pin VALUES(?1,?2,?3)", scope, seq, hash)
    }

    /// Removes a pin: only after a person accepted that the scope is gone.
    pub fn forget(&self, scope: &ScopeId) -> Result<(), StoreError> {
        self.connection
            .execute("DELETE FROM pin WHERE scope=?1", params![scope.0])
            .map(|_| ())
            .map_err(|error| describe(&self.location, &error))
    }

    fn write(&self, sql: &str, scope: &ScopeId, seq: u64, hash: &[u8; 32]) -> Result<(), StoreError> {
        let seq = i64::try_from(seq).unwrap_or(i64::MAX);
        self.connection
            .execute(sql, params![scope.0, seq, hash])
            .map(|_| ())
            .map_err(|error| describe(&self.location, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pin_moves_forward_only_unless_forced() {
        let folder = tempfile::tempdir().unwrap();
        let pins = Pins::open(&folder.path().join("pins.db")).unwrap();
        let scope = ScopeId([1; 32]);
        assert_eq!(pins.get(&scope).unwrap(), None);
        pins.advance(&scope, 5, &[5; 32]).unwrap();
        pins.advance(&scope, 3, &[3; 32]).unwrap();
        assert_eq!(pins.get(&scope).unwrap(), Some((5, [5; 32])));
        pins.force(&scope, 3, &[3; 32]).unwrap();
        assert_eq!(pins.get(&scope).unwrap(), Some((3, [3; 32])));
        assert_eq!(pins.scopes().unwrap(), vec![scope]);
    }
}

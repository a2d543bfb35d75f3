//! The embedded store: one SQLite file, mode 0600, in WAL mode.
//!
//! `synchronous=FULL`, because NORMAL may lose acknowledged commits when the power goes; `secure_delete`, because deleted
//! ciphertext should not linger in free pages; writers start with `BEGIN IMMEDIATE` and wait for each other up to 20 s.
//! The application id and `user_version` say what the file is, so that a foreign or newer file is never touched.

use super::{Batch, BlobHash, Care, Committed, EachBlob, EachRead, NewReads, SCHEMA, Store, StoreError};
use crate::crypto::sha256;
use crate::domain::ScopeId;
use crate::platform::{failpoint, files};
use rusqlite::{
    Connection, ErrorCode, OpenFlags, TransactionBehavior, backup::StepResult, config::DbConfig, params,
};
use std::{
    cell::Cell,
    ops::ControlFlow,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// `"SBX1"` as a number: what `file(1)` and we recognise the file by.
const APPLICATION_ID: i32 = 0x5342_5831;
/// 1 had no read log.
const USER_VERSION: i32 = 2;
const BUSY: Duration = Duration::from_secs(20);
/// How long a record of a reading waits for another writer.
const BRIEF: Duration = Duration::from_millis(250);

/// One SQLite file.
pub struct SqliteStore {
    connection: Connection,
    path: PathBuf,
    /// False for a store of the first layout that could not be, or was not to be, brought up to date.
    has_reads: bool,
    /// How durable the connection's commits are at the moment.
    care: Cell<Care>,
}

impl SqliteStore {
    /// Opens an existing store.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
    }

    /// Opens the store, making an empty one (0600) if there is none.
    pub fn create(path: &Path) -> Result<Self, StoreError> {
        Self::connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)
    }

    fn connect(path: &Path, flags: OpenFlags) -> Result<Self, StoreError> {
        let location = path.display().to_string();
        let io = |source| StoreError::Io { location: location.clone(), source };
        let creating = flags.contains(OpenFlags::SQLITE_OPEN_CREATE);
        match std::fs::symlink_metadata(path) {
            Ok(meta) if meta.file_type().is_symlink() || !meta.is_file() => {
                return Err(StoreError::Damaged { location, what: "not a regular file".to_owned() });
            }
            Ok(_) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && creating => {
                // -wal and -shm inherit the mode of the file, so it must be right from the first moment.
                match files::create_private_new(path, b"") {
                    Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(io(error)),
                    _ => {}
                }
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(StoreError::Missing { location });
            }
            Err(error) => return Err(io(error)),
        }
        if is_on_network(path) {
            return Err(StoreError::NetworkFileSystem { location });
        }
        let flags = flags | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let connection =
            Connection::open_with_flags(path, flags).map_err(|error| describe(&location, &error))?;
        let mut store =
            Self { connection, path: path.to_owned(), has_reads: false, care: Cell::new(Care::Durable) };
        store.recognise(creating).map_err(|error| error.into_store_error(&location))?;
        files::narrow(path).map_err(io)?;
        // To look at the file was to make these two, with the mode that it had.
        for suffix in ["-wal", "-shm"] {
            let mut side = path.as_os_str().to_owned();
            side.push(suffix);
            match files::narrow(Path::new(&side)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(error)),
                _ => {}
            }
        }
        store.prepare().map_err(|error| error.into_store_error(&location))?;
        store.bring_up_to_date().map_err(|error| error.into_store_error(&location))?;
        // SQLite gave them the mode that the file had when it was opened.
        for suffix in ["-wal", "-shm"] {
            let mut sidecar = path.as_os_str().to_owned();
            sidecar.push(suffix);
            match files::narrow(Path::new(&sidecar)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(error)),
                _ => {}
            }
        }
        Ok(store)
    }

    /// Makes sure that the file is ours, before anything about it is changed. An empty one becomes ours if `may_lay_out`.
    fn recognise(&mut self, may_lay_out: bool) -> Result<(), Prepare> {
        let db = &self.connection;
        db.busy_timeout(BUSY)?;
        db.set_prepared_statement_cache_capacity(24);
        db.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        db.pragma_update(None, "trusted_schema", false)?;
        db.pragma_update(None, "mmap_size", 0)?;
        let id: i32 = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
        let version: i32 = db.pragma_query_value(None, "user_version", |row| row.get(0))?;
        match (id, version) {
            (APPLICATION_ID, 1..=USER_VERSION) => {}
            (APPLICATION_ID, newer) if newer > USER_VERSION => {
                return Err(StoreError::Newer { location: self.location() }.into());
            }
            _ if may_lay_out => self.lay_out()?,
            _ => return Err(self.foreign().into()),
        }
        // Without the primary key two writers could take one position; a trigger could do anything.
        let tables: Vec<String> = {
            let mut select =
                db.prepare("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name DESC")?;
            select.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?
        };
        let ours = SCHEMA.map(|statement| statement.replacen("IF NOT EXISTS ", "", 1));
        self.has_reads = tables == ours;
        if !self.has_reads && (tables.len() != 2 || !ours.starts_with(&tables)) {
            let what = "its tables are not those of a sealbox store".to_owned();
            return Err(StoreError::Damaged { location: self.location(), what }.into());
        }
        Ok(())
    }

    fn prepare(&self) -> Result<(), Prepare> {
        let db = &self.connection;
        let mode: String = db.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
        if mode != "wal" {
            let what = format!("write-ahead logging is not available here (journal mode {mode})");
            return Err(StoreError::Engine { location: self.location(), what }.into());
        }
        db.pragma_update(None, "synchronous", "FULL")?;
        self.care.set(Care::Durable);
        db.pragma_update(None, "secure_delete", true)?;
        Ok(())
    }

    /// Gives a store of the first layout its read log. One that cannot be written stays as it is: it can still be read.
    fn bring_up_to_date(&mut self) -> Result<(), Prepare> {
        if self.has_reads {
            return Ok(());
        }
        let run = || -> Result<(), rusqlite::Error> {
            let db = rusqlite::Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
            for statement in SCHEMA {
                db.execute(statement, [])?;
            }
            db.pragma_update(None, "user_version", USER_VERSION)?;
            db.commit()
        };
        match run() {
            Ok(()) => self.has_reads = true,
            Err(error) if error.sqlite_error_code() == Some(ErrorCode::ReadOnly) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Makes the tables in an empty file; refuses any other file.
    fn lay_out(&self) -> Result<(), Prepare> {
        let db = rusqlite::Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
        let id: i32 = db.pragma_query_value(None, "application_id", |row| row.get(0))?;
        if id != APPLICATION_ID {
            let tables: i64 = db.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
            if tables != 0 || id != 0 {
                let what = "it is an SQLite file of another program".to_owned();
                return Err(StoreError::Damaged { location: self.location(), what }.into());
            }
            for statement in SCHEMA {
                db.execute(statement, [])?;
            }
            db.pragma_update(None, "application_id", APPLICATION_ID)?;
            db.pragma_update(None, "user_version", USER_VERSION)?;
            failpoint::step("store: before layout commit");
            db.commit()?;
        }
        Ok(())
    }

    /// Opens a file that is not ours to change, such as a backup: read-only. A backup made by us leaves no
    /// sidecar; a live store that is in write-ahead mode does.
    pub fn inspect(path: &Path) -> Result<Self, StoreError> {
        let location = path.display().to_string();
        if !path.exists() {
            return Err(StoreError::Missing { location });
        }
        let run = || -> Result<Self, Prepare> {
            let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let connection = Connection::open_with_flags(path, flags)?;
            let mut store =
                Self { connection, path: path.to_owned(), has_reads: false, care: Cell::new(Care::Durable) };
            store.recognise(false)?;
            Ok(store)
        };
        run().map_err(|error| error.into_store_error(&location))
    }

    fn foreign(&self) -> StoreError {
        StoreError::Damaged { location: self.location(), what: "it is not a sealbox store".to_owned() }
    }

    /// Replaces every row by those of `source`, in one transaction.
    pub fn replace_with(&mut self, source: &Self) -> Result<(), StoreError> {
        let location = self.location();
        let run = |target: &mut Connection| -> Result<StepResult, rusqlite::Error> {
            let copy = rusqlite::backup::Backup::new(&source.connection, target)?;
            let start = Instant::now();
            loop {
                // All pages in one step, so that nobody ever sees half of them.
                match copy.step(i32::MAX)? {
                    StepResult::Busy | StepResult::Locked if start.elapsed() < BUSY => {
                        std::thread::sleep(Duration::from_millis(20));
                    }
                    StepResult::More => {}
                    ended => return Ok(ended),
                }
            }
        };
        match run(&mut self.connection).map_err(|error| describe(&location, &error))? {
            StepResult::Done => {}
            _ => return Err(StoreError::Busy { location }),
        }
        let settle = |store: &mut Self| -> Result<(), Prepare> {
            store.prepare()?;
            store.recognise(false)?; // the backup may be of the first layout
            store.bring_up_to_date()
        };
        settle(self).map_err(|error| error.into_store_error(&location))
    }

    /// Moves everything from the write-ahead log into the file, so that the file alone is complete.
    pub fn settle(&self) -> Result<(), StoreError> {
        self.connection
            .pragma_update_and_check(None, "wal_checkpoint", "truncate", |_| Ok(()))
            .map_err(|error| self.say(&error))
    }

    /// How durable commits are at this moment: 1 until the next checkpoint, 2 at once (SQLite's `PRAGMA synchronous`).
    pub fn synchronous(&self) -> Result<i64, StoreError> {
        self.connection
            .pragma_query_value(None, "synchronous", |row| row.get(0))
            .map_err(|error| self.say(&error))
    }

    fn say(&self, error: &rusqlite::Error) -> StoreError {
        describe(&self.location(), error)
    }

    /// Makes the commits that follow as durable as this. Asked before each of them, so that what is brief never stays so.
    fn take_care(&self, care: Care) -> Result<(), rusqlite::Error> {
        if self.care.get() != care {
            let level = if care == Care::Brief { "NORMAL" } else { "FULL" };
            self.connection.pragma_update(None, "synchronous", level)?;
            self.care.set(care);
        }
        Ok(())
    }

    fn write(&self, batch: &Batch) -> Result<Committed, rusqlite::Error> {
        self.take_care(Care::Durable)?;
        let db = rusqlite::Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
        {
            let mut select = db.prepare_cached("SELECT body FROM entry WHERE scope=$1 AND seq=$2")?;
            for (scope, seq, hash) in &batch.builds_on {
                let Ok(seq) = i64::try_from(*seq) else { return Ok(Committed::Conflict) };
                let mut rows = select.query(params![scope.0, seq])?;
                let there = match rows.next()? {
                    Some(row) => sha256(row.get_ref(0)?.as_blob().unwrap_or_default()) == *hash,
                    None => false,
                };
                if !there {
                    return Ok(Committed::Conflict);
                }
            }
            let mut insert = db.prepare_cached(
                "INSERT INTO entry(scope,seq,body) VALUES($1,$2,$3) ON CONFLICT DO NOTHING",
            )?;
            for entry in &batch.entries {
                let Ok(seq) = i64::try_from(entry.seq) else { return Ok(Committed::Conflict) };
                if insert.execute(params![entry.scope.0, seq, entry.body])? != 1 {
                    return Ok(Committed::Conflict); // dropping the transaction rolls it back
                }
            }
            failpoint::step("store: entries inserted");
            let mut insert = db.prepare_cached(
                "INSERT INTO blob(scope,hash,data) VALUES($1,$2,$3) ON CONFLICT DO NOTHING",
            )?;
            for (scope, hash, data) in &batch.blobs {
                insert.execute(params![scope.0, hash, data])?;
            }
            failpoint::step("store: blobs inserted");
            let mut delete = db.prepare_cached("DELETE FROM blob WHERE scope=$1 AND hash=$2")?;
            for (scope, hash) in &batch.delete_blobs {
                delete.execute(params![scope.0, hash])?;
            }
        }
        failpoint::step("store: before commit");
        db.commit()?;
        failpoint::step("store: after commit");
        if !batch.delete_blobs.is_empty() {
            // Deleted ciphertext must not linger in the log. Best effort: another process may be reading.
            // So it must not wait for that one either.
            self.connection.busy_timeout(Duration::ZERO)?;
            let _ = self.connection.pragma_update_and_check(None, "wal_checkpoint", "truncate", |_| Ok(()));
            self.connection.busy_timeout(BUSY)?;
        }
        Ok(Committed::Yes)
    }
}

/// The read log.
impl SqliteStore {
    fn append(&self, reads: &NewReads) -> Result<Committed, rusqlite::Error> {
        let db = rusqlite::Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate)?;
        {
            let mut insert = db.prepare_cached(
                "INSERT INTO access(scope,author,seq,body) VALUES($1,$2,$3,$4) ON CONFLICT DO NOTHING",
            )?;
            for (seq, body) in &reads.records {
                let Ok(seq) = i64::try_from(*seq) else { return Ok(Committed::Conflict) };
                if insert.execute(params![reads.scope.0, reads.author, seq, body])? != 1 {
                    return Ok(Committed::Conflict);
                }
            }
            if let Some(seq) = reads.drop_through {
                let seq = i64::try_from(seq).unwrap_or(i64::MAX);
                let mut delete =
                    db.prepare_cached("DELETE FROM access WHERE scope=$1 AND author=$2 AND seq<=$3")?;
                delete.execute(params![reads.scope.0, reads.author, seq])?;
            }
        }
        db.commit()?;
        Ok(Committed::Yes)
    }

    fn each_read(
        &self,
        sql: &str,
        scope: &ScopeId,
        author: &[u8; 32],
        each: EachRead<'_>,
    ) -> Result<(), StoreError> {
        if !self.has_reads {
            return Ok(());
        }
        let mut run = || -> Result<(), rusqlite::Error> {
            let mut select = self.connection.prepare_cached(sql)?;
            let mut rows = select.query(params![scope.0, author])?;
            while let Some(row) = rows.next()? {
                let Some(seq) = row.get_ref(0)?.as_i64().ok().and_then(|seq| u64::try_from(seq).ok()) else {
                    continue;
                };
                if each(seq, row.get_ref(1)?.as_blob().unwrap_or_default()).is_break() {
                    break;
                }
            }
            Ok(())
        };
        run().map_err(|error| self.say(&error))
    }
}

impl Store for SqliteStore {
    fn location(&self) -> String {
        self.path.display().to_string()
    }

    fn entries(
        &self,
        scope: &ScopeId,
        after: Option<u64>,
        each: &mut dyn FnMut(u64, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let after = after.map_or(-1, |seq| i64::try_from(seq).unwrap_or(i64::MAX));
        let mut run = || -> Result<(), rusqlite::Error> {
            let mut select = self
                .connection
                .prepare_cached("SELECT seq, CASE WHEN length(body) <= 1048576 THEN body ELSE x'' END FROM entry WHERE scope=$1 AND seq>$2 ORDER BY seq")?;
            let mut rows = select.query(params![scope.0, after])?;
            while let Some(row) = rows.next()? {
                // A position that is no number is a row that nobody of us wrote.
                let Some(seq) = row.get_ref(0)?.as_i64().ok().and_then(|seq| u64::try_from(seq).ok()) else {
                    continue;
                };
                // A row of another type is junk that somebody put there: shown as empty, it will not parse.
                let body = row.get_ref(1)?.as_blob().unwrap_or_default();
                if each(seq, body).is_break() {
                    break;
                }
            }
            Ok(())
        };
        run().map_err(|error| self.say(&error))
    }

    fn commit(&self, batch: &Batch) -> Result<Committed, StoreError> {
        self.write(batch).map_err(|error| self.say(&error))
    }

    fn blob(&self, scope: &ScopeId, hash: &BlobHash) -> Result<Option<Vec<u8>>, StoreError> {
        let run = || -> Result<Option<Vec<u8>>, rusqlite::Error> {
            let mut select =
                self.connection.prepare_cached("SELECT CASE WHEN length(data) <= 2097152 THEN data ELSE x'' END FROM blob WHERE scope=$1 AND hash=$2")?;
            let mut rows = select.query(params![scope.0, hash])?;
            rows.next()?
                .map(|row| row.get_ref(0).map(|data| data.as_blob().unwrap_or_default().to_vec()))
                .transpose()
        };
        run().map_err(|error| self.say(&error))
    }

    fn blobs(&self, scope: &ScopeId, each: EachBlob<'_>) -> Result<(), StoreError> {
        let mut run = || -> Result<(), rusqlite::Error> {
            let mut select = self.connection.prepare_cached("SELECT hash, CASE WHEN length(data) <= 2097152 THEN data ELSE x'' END FROM blob WHERE scope=$1")?;
            let mut rows = select.query(params![scope.0])?;
            while let Some(row) = rows.next()? {
                let hash = row.get_ref(0)?.as_blob().unwrap_or_default();
                let data = row.get_ref(1)?.as_blob().unwrap_or_default();
                if each(hash, data).is_break() {
                    break;
                }
            }
            Ok(())
        };
        run().map_err(|error| self.say(&error))
    }

    fn scopes(&self) -> Result<Vec<ScopeId>, StoreError> {
        let run = || -> Result<Vec<ScopeId>, rusqlite::Error> {
            let mut select =
                self.connection.prepare_cached("SELECT DISTINCT scope FROM entry ORDER BY scope")?;
            let mut rows = select.query([])?;
            let mut scopes = Vec::new();
            while let Some(row) = rows.next()? {
                let id = row.get_ref(0)?.as_blob().unwrap_or_default();
                scopes.extend(<[u8; 32]>::try_from(id).ok().map(ScopeId));
            }
            Ok(scopes)
        };
        run().map_err(|error| self.say(&error))
    }

    fn change_counter(&self) -> Result<i64, StoreError> {
        self.connection
            .pragma_query_value(None, "data_version", |row| row.get(0))
            .map_err(|error| self.say(&error))
    }

    fn backup(&self, to: &Path) -> Result<(), StoreError> {
        let location = to.display().to_string();
        files::create_private_new(to, b"")
            .map_err(|source| StoreError::Io { location: location.clone(), source })?;
        let run = || -> Result<(), rusqlite::Error> {
            let mut target = Connection::open(to)?;
            let copy = rusqlite::backup::Backup::new(&self.connection, &mut target)?;
            copy.run_to_completion(1024, Duration::ZERO, None)?;
            drop(copy);
            // A backup is one file: leave write-ahead mode, so that no -wal has to travel with it.
            target.pragma_update_and_check(None, "journal_mode", "delete", |_| Ok(()))?;
            Ok(())
        };
        run().map_err(|error| {
            let _ = std::fs::remove_file(to); // half a backup is worse than none; the first error is the one to report
            describe(&location, &error)
        })?;
        std::fs::File::open(to)
            .and_then(|file| file.sync_all())
            .map_err(|source| StoreError::Io { location, source })
    }

    fn append_reads(&self, reads: &NewReads, care: Care) -> Result<Committed, StoreError> {
        if !self.has_reads {
            let what = "it cannot be written, and has no read log yet".to_owned();
            return Err(StoreError::Full { location: self.location(), what });
        }
        let run = || -> Result<Committed, rusqlite::Error> {
            self.take_care(care)?;
            if care == Care::Durable {
                return self.append(reads);
            }
            self.connection.busy_timeout(BRIEF)?;
            let outcome = self.append(reads);
            self.connection.busy_timeout(BUSY)?;
            outcome
        };
        run().map_err(|error| self.say(&error))
    }

    fn reads(&self, scope: &ScopeId, author: &[u8; 32], each: EachRead<'_>) -> Result<(), StoreError> {
        self.each_read(
            "SELECT seq, CASE WHEN length(body) <= 65536 THEN body ELSE x'' END FROM access WHERE scope=$1 AND author=$2 ORDER BY seq",
            scope,
            author,
            each,
        )
    }

    fn newest_reads(&self, scope: &ScopeId, author: &[u8; 32], each: EachRead<'_>) -> Result<(), StoreError> {
        self.each_read(
            "SELECT seq, CASE WHEN length(body) <= 65536 THEN body ELSE x'' END FROM access WHERE scope=$1 AND author=$2 ORDER BY seq DESC",
            scope,
            author,
            each,
        )
    }

    fn count_reads(&self, scope: &ScopeId) -> Result<u64, StoreError> {
        if !self.has_reads {
            return Ok(0);
        }
        let run = || -> Result<i64, rusqlite::Error> {
            self.connection
                .prepare_cached("SELECT count(*) FROM access WHERE scope=$1")?
                .query_row(params![scope.0], |row| row.get(0))
        };
        run().map(|count| u64::try_from(count).unwrap_or(0)).map_err(|error| self.say(&error))
    }

    fn check(&self) -> Result<Vec<String>, StoreError> {
        let run = || -> Result<Vec<String>, rusqlite::Error> {
            let mut check = self.connection.prepare("PRAGMA integrity_check(20)")?;
            let rows = check.query_map([], |row| row.get::<_, String>(0))?;
            rows.filter(|line| !matches!(line, Ok(text) if text == "ok")).collect()
        };
        run().map_err(|error| self.say(&error))
    }
}

enum Prepare {
    Sql(rusqlite::Error),
    Store(StoreError),
}

impl Prepare {
    fn into_store_error(self, location: &str) -> StoreError {
        match self {
            Self::Sql(error) => describe(location, &error),
            Self::Store(error) => error,
        }
    }
}

impl From<rusqlite::Error> for Prepare {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sql(error)
    }
}

impl From<StoreError> for Prepare {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// Puts SQLite's error into our words. Its texts name tables and files, never row contents.
pub(super) fn describe(location: &str, error: &rusqlite::Error) -> StoreError {
    let location = location.to_owned();
    let what = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged { location, what },
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreError::Busy { location },
        Some(
            ErrorCode::DiskFull | ErrorCode::ReadOnly | ErrorCode::SystemIoFailure | ErrorCode::CannotOpen,
        ) => StoreError::Full { location, what },
        _ => StoreError::Engine { location, what },
    }
}

/// True on NFS, SMB and the like.
#[cfg(target_os = "linux")]
fn is_on_network(path: &Path) -> bool {
    const NETWORK: [u64; 6] = [0x6969, 0xff53_4d42, 0xfe53_4d42, 0x517b, 0x0102_1997, 0x6b41_4653]; // nfs cifs smb2 smb 9p afs
    rustix::fs::statfs(path).is_ok_and(|fs| NETWORK.contains(&u64::try_from(fs.f_type).unwrap_or(0)))
}

#[cfg(not(target_os = "linux"))]
fn is_on_network(_path: &Path) -> bool {
    false
}

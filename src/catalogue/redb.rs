//! The catalogue in one redb file.
//!
//! redb locks the file while it is open (whole, in its default mode) and leaves a mark when it was not closed: the next
//! writer repairs the file; a reader, who may change nothing, repairs a copy in memory.

use super::about::FIRST;
use super::fence::{FileNumber, apart, fenced, is_lost};
use super::redb_header as header;
use super::store::{Access, CatalogueStore, Operation, RETIRED, StoreError, Table, Visit};
use redb::backends::InMemoryBackend;
use redb::{
    Builder, CommitError, Database, DatabaseError, ReadOnlyDatabase, ReadableDatabase,
    StorageBackend, StorageError, TableDefinition, TableError, TransactionError, WriteTransaction,
};
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

/// Pages kept in memory. The default of 1 GiB is meant for servers.
const CACHE_BYTES: usize = 16 << 20;

/// The whole catalogue in one file.
#[derive(Debug)]
pub struct RedbStore {
    path: PathBuf,
    file: FileNumber,
    handle: RedbHandle,
}

impl Drop for RedbStore {
    fn drop(&mut self) {
        // Closing writes, and panics after a panic. What was recorded is on disk before this.
        let handle = self.take();
        let _ = apart(self.file, || {
            drop(handle);
            Ok(())
        });
    }
}

enum RedbHandle {
    Reader(ReadOnlyDatabase),
    Writer(Database),
    Closed,
}

impl std::fmt::Debug for RedbHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Reader(_) => "Reader",
            Self::Writer(_) => "Writer",
            Self::Closed => "Closed",
        })
    }
}

impl RedbStore {
    /// Opens the file; `None` when it is to be read and is not there.
    ///
    /// # Errors
    ///
    /// Another process has it open; it cannot be read or created; it is damaged.
    pub fn open(path: &Path, access: Access) -> Result<Option<Self>, StoreError> {
        let file = match (file_number(path)?, access) {
            (Some(file), _) => file,
            (None, Access::Read) => return Ok(None),
            (None, Access::Write) => {
                create(path)?;
                file_number(path)?.unwrap_or_default()
            }
        };
        let opened = path.to_owned();
        let handle = apart(file, move || match access {
            // It is locked by a thread that is lost. No other writes to it.
            Access::Read if is_lost(file) => copy_in_memory(&opened).map(RedbHandle::Writer),
            Access::Read => open_reader(&opened),
            Access::Write => open_writer(&opened, file).map(RedbHandle::Writer),
        })?;
        let path = path.to_owned();
        Ok(Some(Self { path, file, handle }))
    }

    fn take(&mut self) -> RedbHandle {
        std::mem::replace(&mut self.handle, RedbHandle::Closed)
    }

    fn begin(&self) -> Result<redb::ReadTransaction, TransactionError> {
        match &self.handle {
            RedbHandle::Reader(database) => database.begin_read(),
            RedbHandle::Writer(database) => database.begin_read(),
            RedbHandle::Closed => Err(TransactionError::Storage(StorageError::DatabaseClosed)),
        }
    }

    /// Hands the table to `work`; does nothing when it was never written to.
    fn read<T: Default>(
        &self,
        table: Table,
        work: impl FnOnce(&ReadTable) -> Result<T, StorageError>,
    ) -> Result<T, StoreError> {
        fenced(|| {
            let transaction = self.begin();
            let transaction = transaction.map_err(|e| transaction_error(&self.path, e))?;
            match transaction.open_table(definition(table.name())) {
                Ok(table) => work(&table).map_err(|e| storage_error(&self.path, e)),
                Err(TableError::TableDoesNotExist(_)) => Ok(T::default()),
                Err(error) => Err(table_error(&self.path, error)),
            }
        })
    }
}

type ReadTable = redb::ReadOnlyTable<&'static [u8], &'static [u8]>;

impl CatalogueStore for RedbStore {
    fn get(&self, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, StoreError> {
        self.read(table, |table| {
            Ok(table.get(key)?.map(|value| value.value().to_vec()))
        })
    }

    /// To open a table costs more than to look into it.
    fn get_each(&self, table: Table, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, StoreError> {
        let found = self.read(table, |table| {
            let values = keys.iter().map(|key| {
                let value = table.get(key.as_slice())?;
                Ok(value.map(|value| value.value().to_vec()))
            });
            values.collect::<Result<Vec<_>, StorageError>>()
        })?;
        // A table that was never written to holds nothing.
        Ok(if found.is_empty() {
            vec![None; keys.len()]
        } else {
            found
        })
    }

    fn scan(&self, table: Table, prefix: &[u8], visit: Visit<'_>) -> Result<(), StoreError> {
        self.read(table, |table| {
            for entry in table.range::<&[u8]>(prefix..)? {
                let (key, value) = entry?;
                if !key.value().starts_with(prefix) {
                    break;
                }
                visit(key.value(), value.value());
            }
            Ok(())
        })
    }

    fn apply(&mut self, batch: Vec<Operation>) -> Result<(), StoreError> {
        let database = match self.take() {
            RedbHandle::Writer(database) => database,
            other => {
                self.handle = other;
                let source = io::Error::from(io::ErrorKind::ReadOnlyFilesystem);
                return Err(StoreError::io("write", &self.path, source));
            }
        };
        let path = self.path.clone();
        let (database, applied) = apart(self.file, move || {
            let applied = commit(&database, batch, &path);
            Ok((database, applied))
        })?;
        self.handle = RedbHandle::Writer(database);
        applied
    }
}

fn commit(database: &Database, batch: Vec<Operation>, path: &Path) -> Result<(), StoreError> {
    let begun = database.begin_write();
    let transaction = begun.map_err(|e| transaction_error(path, e))?;
    write(&transaction, batch).map_err(|e| table_error(path, e))?;
    transaction.commit().map_err(|e| commit_error(path, e))
}

fn write(transaction: &WriteTransaction, batch: Vec<Operation>) -> Result<(), TableError> {
    for name in RETIRED {
        transaction.delete_table(definition(name))?;
    }
    let mut operations = batch.into_iter().peekable();
    while let Some(next) = operations.peek() {
        let table = next.table();
        let mut open = transaction.open_table(definition(table.name()))?;
        while let Some(operation) = operations.next_if(|next| next.table() == table) {
            match operation {
                Operation::Put { key, value, .. } => {
                    open.insert(key.as_slice(), value.as_slice())?;
                }
                Operation::Delete { key, .. } => {
                    open.remove(key.as_slice())?;
                }
            }
        }
    }
    Ok(())
}

fn definition(name: &'static str) -> TableDefinition<'static, &'static [u8], &'static [u8]> {
    TableDefinition::new(name)
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    builder
}

/// Makes an empty catalogue under another name first: a process killed meanwhile leaves no half catalogue.
fn create(path: &Path) -> Result<(), StoreError> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".new");
    let unfinished = PathBuf::from(unfinished);
    let error = |source| StoreError::io("create", &unfinished, source);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(true);
    let file = options.mode(0o600).open(&unfinished).map_err(error)?;
    let database = builder().create(&unfinished);
    let database = database.map_err(|e| database_error(&unfinished, e))?;
    begin(&database).map_err(|e| StoreError::Damaged(e.to_string()))?;
    let closed = database.close();
    closed.map_err(|e| database_error(&unfinished, e))?;
    file.sync_all().map_err(error)?;
    std::fs::rename(&unfinished, path).map_err(|e| StoreError::io("create", path, e))?;
    // A name is on disk when its directory is.
    let directory = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    let directory = directory.unwrap_or(Path::new("."));
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced.map_err(|e| StoreError::io("create", path, e))
}

/// Says what it is: a catalogue that says nothing has lost it.
fn begin(database: &Database) -> Result<(), redb::Error> {
    let (key, value) = FIRST;
    let transaction = database.begin_write()?;
    transaction
        .open_table(definition(Table::About.name()))?
        .insert(key, value)?;
    Ok(transaction.commit()?)
}

/// Which file lies there, if one does.
fn file_number(path: &Path) -> Result<Option<FileNumber>, StoreError> {
    match std::fs::metadata(path) {
        // No catalogue begins so: it is renamed to its name when it is complete.
        Ok(metadata) if metadata.len() == 0 && metadata.is_file() => {
            Err(StoreError::Damaged("the file is empty".to_owned()))
        }
        Ok(metadata) => Ok(Some((metadata.dev(), metadata.ino()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(StoreError::io("read", path, error)),
    }
}

fn open_writer(path: &Path, file: FileNumber) -> Result<Database, StoreError> {
    if is_lost(file) {
        return Err(StoreError::Damaged("the store gave up".to_owned()));
    }
    if header::names_an_earlier_commit(path) {
        let reason = "its header does not name its last commit";
        return Err(StoreError::Damaged(reason.to_owned()));
    }
    builder().open(path).map_err(|e| database_error(path, e))
}

fn open_reader(path: &Path) -> Result<RedbHandle, StoreError> {
    if header::names_an_earlier_commit(path) {
        return repair_in_memory(path).map(RedbHandle::Writer);
    }
    match builder().open_read_only(path) {
        Ok(database) => Ok(RedbHandle::Reader(database)),
        Err(DatabaseError::RepairAborted) => repair_in_memory(path).map(RedbHandle::Writer),
        Err(error) => Err(database_error(path, error)),
    }
}

/// Somebody was killed while writing: all that was committed can be read once redb has put its bookkeeping right.
fn repair_in_memory(path: &Path) -> Result<Database, StoreError> {
    let file = File::open(path).map_err(|e| StoreError::io("read", path, e))?;
    match file.try_lock_shared() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Err(StoreError::Busy),
        Err(TryLockError::Error(error)) => return Err(StoreError::io("lock", path, error)),
    }
    copy_in_memory(path)
}

fn copy_in_memory(path: &Path) -> Result<Database, StoreError> {
    let mut bytes = std::fs::read(path).map_err(|e| StoreError::io("read", path, e))?;
    header::name_last_commit(&mut bytes);
    let length = u64::try_from(bytes.len()).map_err(|e| StoreError::Damaged(e.to_string()))?;
    let backend = InMemoryBackend::new();
    let filled = backend
        .set_len(length)
        .and_then(|()| backend.write(0, &bytes));
    filled.map_err(|e| StoreError::io("read", path, e))?;
    builder()
        .create_with_backend(backend)
        .map_err(|e| database_error(path, e))
}

fn database_error(path: &Path, error: DatabaseError) -> StoreError {
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            StoreError::Busy
        }
        DatabaseError::Storage(error) => storage_error(path, error),
        other => StoreError::Damaged(other.to_string()),
    }
}

fn storage_error(path: &Path, error: StorageError) -> StoreError {
    match error {
        StorageError::Io(source) => StoreError::io("use", path, source),
        other => StoreError::Damaged(other.to_string()),
    }
}

fn transaction_error(path: &Path, error: TransactionError) -> StoreError {
    match error {
        TransactionError::Storage(error) => storage_error(path, error),
        other => StoreError::Damaged(other.to_string()),
    }
}

fn table_error(path: &Path, error: TableError) -> StoreError {
    match error {
        TableError::Storage(error) => storage_error(path, error),
        other => StoreError::Damaged(other.to_string()),
    }
}

fn commit_error(path: &Path, error: CommitError) -> StoreError {
    match error {
        CommitError::Storage(error) => storage_error(path, error),
        other => StoreError::Damaged(other.to_string()),
    }
}

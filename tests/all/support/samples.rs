//! The samples under `testdata/` and what is known about them.

use serde_json::Value;
use std::path::{Path, PathBuf};

/// One row of `testdata/samples.json`.
pub(crate) struct Sample {
    /// Path below `testdata/`.
    pub(crate) path: String,
    /// The whole row.
    pub(crate) row: Value,
}

impl Sample {
    /// The file's bytes.
    pub(crate) fn bytes(&self) -> Vec<u8> {
        bytes(&self.path)
    }

    /// What the real tools say about it, by the minor version of etcd.
    pub(crate) fn status(&self) -> Value {
        let text = std::fs::read(testdata().join(format!("{}.status.json", self.path)));
        serde_json::from_slice(&text.expect("each sample has a status")).expect("it is JSON")
    }
}

/// The folder of the samples.
pub(crate) fn testdata() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata")
}

/// The bytes of a file below `testdata/`.
pub(crate) fn bytes(path: &str) -> Vec<u8> {
    std::fs::read(testdata().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// All rows of the table.
pub(crate) fn all() -> Vec<Sample> {
    let rows: Vec<Value> =
        serde_json::from_slice(&bytes("samples.json")).expect("samples.json is a list");
    let path = |row: &Value| {
        row["path"]
            .as_str()
            .expect("each row has a path")
            .to_owned()
    };
    rows.into_iter()
        .map(|row| Sample {
            path: path(&row),
            row,
        })
        .collect()
}

/// Every file below `testdata/` whose name ends so.
pub(crate) fn files_ending(suffix: &str) -> Vec<String> {
    let entries = walkdir::WalkDir::new(testdata()).sort_by_file_name();
    let files = entries
        .into_iter()
        .map(|entry| entry.expect("testdata can be walked"));
    let relative = files.map(|file| {
        let path = file.path().strip_prefix(testdata()).expect("it lies below");
        path.to_string_lossy().into_owned()
    });
    relative.filter(|path| path.ends_with(suffix)).collect()
}

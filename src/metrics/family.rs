//! The names that are written, and what each means.

/// A family of series; all are gauges.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Family {
    /// The program.
    BuildInfo,
    /// Records that cannot be read.
    CatalogueDamage,
    /// Backups by verdict.
    CatalogueBackups,
    /// The version that is wanted.
    ClusterVersionInfo,
    /// When the newest backup was taken.
    NewestBackup,
    /// When the newest usable one was.
    NewestUsableBackup,
    /// How large its snapshot is.
    NewestUsableSize,
    /// When the first certificate ends without which it is worth nothing.
    NewestUsableCertificates,
    /// The oldest proof.
    OldestProof,
    /// Findings by code.
    Findings,
    /// Halves without the other.
    UnpairedFiles,
    /// When a run ended.
    RunTime,
    /// When one was last done to its end.
    RunSuccess,
    /// How long it took.
    RunDuration,
    /// How it ended.
    RunExitCode,
    /// How much it read.
    RunReadBytes,
    /// What it passed over.
    RunPassedOver,
}

impl Family {
    /// All of them, in the order in which they are written.
    pub const ALL: [Self; 17] = [
        Self::BuildInfo,
        Self::CatalogueDamage,
        Self::CatalogueBackups,
        Self::ClusterVersionInfo,
        Self::NewestBackup,
        Self::NewestUsableBackup,
        Self::NewestUsableSize,
        Self::NewestUsableCertificates,
        Self::OldestProof,
        Self::Findings,
        Self::UnpairedFiles,
        Self::RunTime,
        Self::RunSuccess,
        Self::RunExitCode,
        Self::RunReadBytes,
        Self::RunDuration,
        Self::RunPassedOver,
    ];

    /// Its name. Never changes: it is in people's alerts.
    pub fn name(self) -> &'static str {
        match self {
            Self::BuildInfo => "etcdcat_build_info",
            Self::CatalogueDamage => "etcdcat_catalogue_damaged_records",
            Self::CatalogueBackups => "etcdcat_catalogue_backups",
            Self::ClusterVersionInfo => "etcdcat_cluster_version_info",
            Self::NewestBackup => "etcdcat_newest_backup_timestamp_seconds",
            Self::NewestUsableBackup => "etcdcat_newest_usable_backup_timestamp_seconds",
            Self::NewestUsableSize => "etcdcat_newest_usable_backup_size_bytes",
            Self::NewestUsableCertificates => {
                "etcdcat_newest_usable_backup_certificate_expiry_timestamp_seconds"
            }
            Self::OldestProof => "etcdcat_oldest_proof_timestamp_seconds",
            Self::Findings => "etcdcat_findings",
            Self::UnpairedFiles => "etcdcat_unpaired_files",
            Self::RunTime => "etcdcat_run_timestamp_seconds",
            Self::RunSuccess => "etcdcat_run_success_timestamp_seconds",
            Self::RunDuration => "etcdcat_run_duration_seconds",
            Self::RunExitCode => "etcdcat_run_exit_code",
            Self::RunReadBytes => "etcdcat_run_read_bytes",
            Self::RunPassedOver => "etcdcat_run_passed_over_files",
        }
    }

    /// What it means, in a sentence.
    pub fn help(self) -> &'static str {
        match self {
            Self::BuildInfo => {
                "Version of etcd-cat and number of the rules that it judges by; always 1."
            }
            Self::CatalogueDamage => {
                "Records of the catalogue that cannot be read: what is told is not all there is."
            }
            Self::CatalogueBackups => "Backups in the catalogue whose files are there, by verdict.",
            Self::ClusterVersionInfo => {
                "OpenShift version that is to be restored: of the running cluster if it was asked, else of its newest backup; always 1."
            }
            Self::NewestBackup => "When the newest backup was taken, whatever it is worth.",
            Self::NewestUsableBackup => {
                "When the newest backup was taken from which this version can be restored."
            }
            Self::NewestUsableSize => "Size of the snapshot of the newest usable backup.",
            Self::NewestUsableCertificates => {
                "When the first certificate ends without which the newest usable backup cannot be restored."
            }
            Self::OldestProof => {
                "When the bytes of the backup were last read whose last reading is the longest ago."
            }
            Self::Findings => "Backups that have a finding, by its code and severity.",
            Self::UnpairedFiles => {
                "Snapshots without their kuberesources, and kuberesources without a snapshot."
            }
            Self::RunTime => "When the last run ended.",
            Self::RunSuccess => "When a run was last done to its end, whatever was found.",
            Self::RunDuration => "How long the last run took.",
            Self::RunExitCode => "Exit code of the last run.",
            Self::RunReadBytes => "Bytes of backups that the last run read.",
            Self::RunPassedOver => {
                "Files that look like part of a backup and were not judged by the last run."
            }
        }
    }
}

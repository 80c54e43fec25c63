//! One file for each command: ask the engine, then answer.

mod backup;
mod check;
mod clusters;
mod complete;
mod completions;
mod diff;
mod explain;
mod fleet;
mod forget;
mod get;
mod history;
mod index;
mod inside;
mod list;
mod locations;
mod ls;
mod manual;
mod metrics;
mod recorded;
mod report;
mod show;
mod stage;
mod verify;

use crate::args::{Cli, Command, GlobalArgs};
use crate::engine::{self, Request};
use crate::error::{Failure, code};
use crate::exit::Exit;
use crate::output::{Style, VerifyReport, units};
use crate::progress::TerminalMonitor;
use crate::reply::{Reply, Tally};
use etcd_cat::backup::Backup;
use etcd_cat::catalogue::{CatalogueDamage, CatalogueError};
use etcd_cat::discovery::Skipped;
use etcd_cat::finding::Code;
use etcd_cat::instant::rfc3339_seconds;
use etcd_cat::restore::StageCall;
use etcd_cat::selection::{
    Candidate, Outcome, ResolveError, Scope, Selection, cluster_meant, resolve,
};
use etcd_cat::source::{Stores, replace_own};
use etcd_cat::survey::{Decrypt, Survey};
use recorded::recorded;
use std::path::Path;

/// What surrounds a command.
#[derive(Debug)]
pub(crate) struct Invocation<'a> {
    pub(crate) global: &'a GlobalArgs,
    pub(crate) style: Style,
    pub(crate) progress: &'a TerminalMonitor,
    pub(crate) damage: &'a CatalogueDamage,
}

impl Invocation<'_> {
    /// A request to the engine with these accepted findings.
    fn request<'b>(&'b self, accept: &'b [Code]) -> Request<'b> {
        Request {
            global: self.global,
            damage: self.damage,
            as_of: self.style.now,
            accept,
            decrypt: Decrypt::Sample,
            shard: None,
        }
    }

    /// A usage error under `--offline`, which promises that no cluster is asked.
    fn needs_oc(&self, what: &str) -> Result<(), Failure> {
        if !self.global.offline {
            return Ok(());
        }
        let message = format!("{what} asks the cluster through oc, and --offline forbids it");
        Err(Failure::new(code::USAGE, message).hint("leave out --offline (ETCD_CAT_OFFLINE)"))
    }
}

/// Runs the command of `cli`.
pub(crate) fn run(cli: &Cli, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    match &cli.command {
        Command::Index(args) => recorded("index", invocation, || index::run(args, invocation)),
        Command::Verify(args) if !verify::is_round(args) => verify::run(args, invocation),
        Command::Verify(args) => recorded("verify", invocation, || verify::run(args, invocation)),
        Command::List(args) => list::run(args, invocation),
        Command::Clusters(args) => clusters::run(args, invocation),
        Command::Show(args) => show::run(args, invocation),
        Command::Check(args) => check::run(args, invocation),
        Command::Stage(args) => stage::run(args, invocation),
        Command::Ls(args) => ls::run(args, invocation),
        Command::Get(args) => get::run(args, invocation),
        Command::Diff(args) => diff::run(args, invocation),
        Command::History(args) => history::run(args, invocation),
        Command::Backup(args) if args.dry_run => backup::run(args, invocation),
        Command::Backup(args) => recorded("backup", invocation, || backup::run(args, invocation)),
        Command::Forget(args) => forget::run(args, invocation),
        Command::Locations(args) => locations::run(args, invocation),
        Command::Report(args) => report::run(args, invocation),
        Command::Metrics(args) => metrics::run(args, invocation),
        Command::Fleet(args) => fleet::run(args, invocation),
        Command::Explain(args) => explain::run(args, invocation),
        Command::Complete(args) => Ok(complete::run(args, invocation)),
        Command::Completions(args) => completions::completions(args),
        Command::Man(args) => completions::man(args),
    }
}

/// Selects from a survey and renders the report; shared by `index` and `verify`.
fn report(
    mut survey: Survey,
    selection: &Selection,
    invocation: &Invocation<'_>,
) -> Result<Reply, Failure> {
    let style = &invocation.style;
    let backups = std::mem::take(&mut survey.backups);
    one_cluster(selection, &backups)?;
    let outcome = selection.apply(backups, style.now);
    let mut notes = outcome.notes.clone();
    notes.extend(hidden_note(selection, &outcome));
    notes.extend(unchanged_note(survey.unchanged));
    notes.extend(unremembered(&mut survey, invocation.global));
    let failure = unrecorded(&mut survey).or_else(|| unread(&survey.skipped));
    let tally = Tally::of(&survey);
    let exit = Exit::of_survey(&survey, selection, &outcome);
    let report = VerifyReport { survey, outcome };
    Ok(Reply {
        notes,
        failure,
        tally,
        ..Reply::of_many(report, style, exit)?
    })
}

/// A machine without a place for the default catalogue is as good as any to verify on: worth a note, no failure.
fn unremembered(survey: &mut Survey, global: &GlobalArgs) -> Option<String> {
    let is_default = global.catalogue.is_none();
    let is_no_place = |error: &mut CatalogueError| matches!(error, CatalogueError::Io { .. });
    let error = survey
        .catalogue
        .take_if(|error| is_default && is_no_place(error))?;
    Some(format!("nothing is remembered: {}", Failure::from(error)))
}

/// The question was answered, but the answer is not remembered where it was to be.
fn unrecorded(survey: &mut Survey) -> Option<Failure> {
    let error = survey.catalogue.take()?;
    let hint = "the files were read all the same; --no-catalogue does without remembering";
    Some(Failure::from(error).hint(hint))
}

/// How to stage what this run chose, as a line that runs as it stands.
fn stage_call(accept: &[Code], invocation: &Invocation<'_>) -> StageCall {
    let global = invocation.global;
    let mut options = Vec::new();
    for code in accept {
        options.extend(["--accept".to_owned(), code.to_string()]);
    }
    if let Some(as_of) = &global.as_of {
        options.extend(["--as-of".to_owned(), rfc3339_seconds(as_of.0)]);
    }
    if global.no_catalogue {
        options.push("--no-catalogue".to_owned());
    } else if let Some(catalogue) = &global.catalogue {
        options.extend(["--catalogue".to_owned(), catalogue.clone()]);
    }
    options.extend(global.buckets.words());
    StageCall {
        options,
        is_by_path: global.no_catalogue,
    }
}

/// Says what was not read because it is as it was.
fn unchanged_note(number: u64) -> Option<String> {
    let files = units::count(number, "file");
    (number > 0).then(|| {
        format!("{files} unchanged since the last reading; etcd-cat verify reads all again")
    })
}

/// Files that ought to have been read and were not: the others are finished, and the program still fails.
fn unread(skipped: &[Skipped]) -> Option<Failure> {
    let errors: Vec<_> = skipped.iter().filter(|one| one.is_error).collect();
    let first = errors.first()?;
    let path = crate::output::text::path(&first.id);
    let number = u64::try_from(errors.len()).unwrap_or(u64::MAX);
    let files = units::count(number, "file");
    let message = match number {
        1 => format!("{path} was not read: {}", first.reason),
        _ => format!(
            "{files} were not read, the first is {path}: {}",
            first.reason
        ),
    };
    Some(
        Failure::new(code::IO, message)
            .hint("everything else was read; see the skipped files in the answer"),
    )
}

/// Said where a catalogue has nothing to tell of.
const EMPTY: &str = "the catalogue is empty; fill it with: etcd-cat index DIRECTORY";

/// What the catalogue holds of one cluster, or of all.
struct OfCluster<B> {
    backups: Vec<B>,
    /// What to say of the selection.
    notes: Vec<String>,
    /// There is nothing of any cluster.
    is_empty: bool,
}

/// All backups of a cluster; of all clusters without one.
fn everything_of(cluster: Option<String>) -> Selection {
    Selection {
        cluster,
        scope: Scope::All,
        ..Selection::default()
    }
}

/// Everything of the cluster that is meant, of all clusters without one: out of what `ask` finds for that selection.
fn of_cluster<B: Candidate>(
    cluster: Option<String>,
    invocation: &Invocation<'_>,
    ask: impl FnOnce(&Selection) -> Result<Vec<B>, Failure>,
) -> Result<OfCluster<B>, Failure> {
    let selection = everything_of(cluster);
    let backups = ask(&selection)?;
    one_cluster(&selection, &backups)?;
    let is_empty = backups.is_empty();
    let outcome = selection.apply(backups, invocation.style.now);
    Ok(OfCluster {
        backups: outcome.shown.into_iter().map(|one| one.backup).collect(),
        notes: outcome.notes,
        is_empty,
    })
}

/// Leaves backups to the end of the process, which is near: to take a hundred thousand apart is a fifth of all the work.
/// Returns how many they are.
fn leave(backups: Vec<Backup>) -> usize {
    let number = backups.len();
    std::mem::forget(backups);
    number
}

/// Writes what a command tells into a file that this program may have written before, and into no other.
fn write_own(path: &Path, text: &str, first_line: &str) -> Result<(), Failure> {
    replace_own(path, text.as_bytes(), first_line.as_bytes()).map_err(|error| {
        let message = format!("cannot write {}: {error}", path.display());
        Failure::new(code::IO, message)
    })
}

/// Says how many backups are told as they were judged, and how to have their files looked at: with the options that show
/// fewer of them.
fn not_looked_at_note(number: usize, narrower: &str) -> Option<String> {
    let number = u64::try_from(number).unwrap_or(u64::MAX);
    let backups = units::count(number, "older backup");
    (number > 0).then(|| {
        format!(
            "{backups} told as judged last, not asking whether a file was rewritten since; {narrower} shows fewer and \
             asks, and etcd-cat index looks at every file"
        )
    })
}

/// Refuses a name that several clusters answer to: which one is meant only the user knows.
fn one_cluster(selection: &Selection, backups: &[impl Candidate]) -> Result<(), Failure> {
    let Some(wanted) = &selection.cluster else {
        return Ok(());
    };
    cluster_meant(wanted, backups)?;
    Ok(())
}

/// Says what was left out and how to see it.
fn hidden_note<B>(selection: &Selection, outcome: &Outcome<B>) -> Option<String> {
    let hidden = u64::try_from(outcome.not_shown()).unwrap_or(u64::MAX);
    let target = selection.valid_for.as_ref()?;
    (hidden > 0).then(|| {
        let backups = units::count(hidden, "other backup");
        let verb = if hidden == 1 { "does" } else { "do" };
        format!("{backups} {verb} not qualify for {target}; --all shows why")
    })
}

/// The backup that a reference means; a path may be relative.
fn find<'a>(reference: &str, backups: &'a [Backup]) -> Result<&'a Backup, Failure> {
    let is_path = reference.contains('/') || reference.contains('.');
    let absolute = is_path.then(|| match std::fs::canonicalize(reference) {
        Ok(path) => path.into_os_string(),
        // Perhaps a member of an archive: `bundle.tar.gz!/snapshot.db`. No bucket is asked for a name.
        Err(_) => engine::resolve(reference, &Stores::default())
            .as_ref()
            .to_owned(),
    });
    let by_path = absolute.as_deref().and_then(std::ffi::OsStr::to_str);
    let found = by_path.and_then(|path| resolve(path, backups).ok());
    found
        .map_or_else(|| resolve(reference, backups), Ok)
        .map_err(unresolved)
}

fn unresolved(error: ResolveError) -> Failure {
    let hint = match &error {
        ResolveError::Empty => "read some files first: etcd-cat index DIRECTORY",
        ResolveError::SeveralClusters { .. } => {
            "give its id: etcd-cat list --cluster NAME, or etcd-cat check --cluster NAME --valid-for VERSION"
        }
        ResolveError::NoneValid { .. } => "see what is wrong with them: etcd-cat list",
        ResolveError::Ambiguous { .. } => "give more digits of the id",
        ResolveError::SameData { .. } => "give the path of one of them",
        ResolveError::PathAmbiguous { .. } => "give the id of one of them",
        ResolveError::TooShort { .. } | ResolveError::NotFound { .. } => {
            "see what there is: etcd-cat list --all"
        }
    };
    Failure::new(code::REFERENCE, error).hint(hint)
}

#[cfg(test)]
mod tests;

//! Operands of `etcd-cat fleet`.

use super::parse;
use chrono::TimeDelta;
use clap::{Args, Subcommand};
use etcd_cat::discovery::Shard;
use etcd_cat::fleet::Budget;
use etcd_cat::source::ObjectId;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::str::FromStr;

/// Bytes a second that a worker is taken to read.
const USUAL_RATE: &str = "100MB";

/// `etcd-cat fleet`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Exit codes of plan and work: 0 done, whatever was found; 64 wrong usage or no permission (fail the job); 75 a store is in \
trouble (try again); 130, 143 interrupted. merge ends as verify does: the verdicts are its answer.

Examples:
  etcd-cat fleet plan /backups --to /results --shards 8 --run nightly-2026-11-02 --proven-within 30d
  etcd-cat fleet work --plan /results/nightly-2026-11-02 --shard 0
  etcd-cat fleet merge --plan /results/nightly-2026-11-02")]
pub(crate) struct FleetArgs {
    #[command(subcommand)]
    pub(crate) command: FleetCommand,
}

/// A part of a run.
#[derive(Clone, Debug, Subcommand)]
pub(crate) enum FleetCommand {
    /// List once, and write down who reads what
    Plan(FleetPlanArgs),
    /// Read one share of a plan and keep what is learnt
    Work(FleetWorkArgs),
    /// Remember the results of all workers in the catalogue
    Merge(FleetMergeArgs),
}

/// `etcd-cat fleet plan`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Both halves of a backup go to the same worker. What is new comes first, then the oldest proof. The catalogue says what was \
proven when; merge keeps it up to date.

Examples:
  etcd-cat fleet plan /backups --to /results --shards 8
  etcd-cat fleet plan s3://backups --to s3://results/fleet --shards 8
  etcd-cat fleet plan /backups --to /results --shards 8 --proven-within 30d --budget 6T
  etcd-cat fleet plan /backups --to /results --shards 8 --budget 4h --rate 80MB")]
pub(crate) struct FleetPlanArgs {
    /// Where backups lie
    #[arg(required = true, value_name = "LOCATION")]
    pub(crate) locations: Vec<ObjectId>,

    /// Directory or bucket for the results, in which the run gets a directory of its own; not one that holds backups
    #[arg(long, env = "ETCD_CAT_TO", value_name = "LOCATION", hide_env = true)]
    pub(crate) to: ObjectId,

    /// Number of workers
    #[arg(
        long,
        env = "ETCD_CAT_SHARDS",
        value_name = "N",
        default_value = "8",
        hide_env = true
    )]
    pub(crate) shards: NonZeroU32,

    /// Name of the run [default: the time, such as 20261102T030000Z]
    #[arg(long, env = "ETCD_CAT_RUN", value_name = "NAME", value_parser = run_name, hide_env = true)]
    pub(crate) run: Option<String>,

    /// Leave out what was proven within this time and is unchanged: 30d
    #[arg(long, env = "ETCD_CAT_PROVEN_WITHIN", value_name = "DURATION", value_parser = parse::duration, hide_env = true)]
    pub(crate) proven_within: Option<TimeDelta>,

    /// Read no more than this in the run: bytes (500GB, 6TiB) or a time (4h)
    #[arg(
        long,
        env = "ETCD_CAT_BUDGET",
        value_name = "BYTES|DURATION",
        hide_env = true
    )]
    pub(crate) budget: Option<BudgetArg>,

    /// What a worker reads in a second, for a budget that is a time
    #[arg(long, env = "ETCD_CAT_RATE", value_name = "BYTES", value_parser = bytes, default_value = USUAL_RATE, hide_env = true)]
    pub(crate) rate: u64,
}

/// `etcd-cat fleet work`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
A worker that was killed is started again with the same words: what lies in its fragments is not read again. Two at once \
do no harm.

Examples:
  etcd-cat fleet work --plan /results/20261102T030000Z --shard 3
  etcd-cat fleet work --plan /results/20261102T030000Z            in a pod of an Indexed Job")]
pub(crate) struct FleetWorkArgs {
    /// The plan, the directory of the run, or that of many runs: of those the last by name
    #[arg(long, env = "ETCD_CAT_PLAN", value_name = "PLAN", hide_env = true)]
    pub(crate) plan: ObjectId,

    /// Which share, counted from 0, with or without the number of all [default: JOB_COMPLETION_INDEX]
    #[arg(long, env = "ETCD_CAT_SHARD", value_name = "I[/N]", hide_env = true)]
    pub(crate) shard: Option<ShardArg>,

    /// Write down what was learnt at least this often
    #[arg(long, env = "ETCD_CAT_FLUSH", value_name = "DURATION", value_parser = parse::duration, default_value = "3m", hide_env = true)]
    pub(crate) flush: TimeDelta,
}

/// `etcd-cat fleet merge`
#[derive(Clone, Debug, Args)]
#[command(after_help = "\
Ends with 2 and names the shards when one is not done. Merging again, or in another order, changes nothing.

Examples:
  etcd-cat fleet merge --plan /results/20261102T030000Z
  etcd-cat fleet merge --plan /results/20261102T030000Z --wait 2h
  etcd-cat fleet merge --plan /results --metrics /var/lib/node_exporter/etcd-cat.prom --report /srv/backups.html")]
pub(crate) struct FleetMergeArgs {
    /// The plan, the directory of the run, or that of many runs: of those the last by name
    #[arg(long, env = "ETCD_CAT_PLAN", value_name = "PLAN", hide_env = true)]
    pub(crate) plan: ObjectId,

    /// Then write what metrics tells into this file, for the textfile collector of node_exporter
    #[arg(long, env = "ETCD_CAT_METRICS", value_name = "FILE", hide_env = true)]
    pub(crate) metrics: Option<PathBuf>,

    /// Then write the report of the whole catalogue into this file
    #[arg(
        long,
        env = "ETCD_CAT_REPORT",
        value_name = "FILE.html",
        hide_env = true
    )]
    pub(crate) report: Option<PathBuf>,

    /// Wait this long for workers that are not done
    #[arg(long, env = "ETCD_CAT_WAIT", value_name = "DURATION", value_parser = parse::duration, hide_env = true)]
    pub(crate) wait: Option<TimeDelta>,
}

/// A share: its index, and perhaps of how many.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct ShardArg {
    /// Counted from 0.
    pub(crate) index: u32,
    /// How many there are.
    pub(crate) of: Option<u32>,
}

impl FromStr for ShardArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = "expected I or I/N, counted from 0: 0/8 to 7/8";
        let number = |text: &str| text.trim().parse::<u32>().map_err(|_| expected.to_owned());
        let (index, of) = match text.split_once('/') {
            Some((index, of)) => (number(index)?, Some(number(of)?)),
            None => (number(text)?, None),
        };
        if of.is_some_and(|of| index >= of) {
            return Err(expected.to_owned());
        }
        Ok(Self { index, of })
    }
}

/// A part of known size.
pub(super) fn shard(text: &str) -> Result<Shard, String> {
    let ShardArg { index, of } = text.parse()?;
    let of = of.ok_or_else(|| "expected I/N, counted from 0: 0/8 to 7/8".to_owned())?;
    Ok(Shard { index, of })
}

/// A budget before the rate is known.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum BudgetArg {
    /// Bytes.
    Bytes(u64),
    /// A time.
    Time(TimeDelta),
}

impl BudgetArg {
    /// The same with a rate.
    pub(crate) fn at(self, rate: u64) -> Budget {
        match self {
            Self::Bytes(bytes) => Budget::Bytes(bytes),
            Self::Time(duration) => Budget::Time { duration, rate },
        }
    }
}

impl FromStr for BudgetArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = "expected bytes such as 500GB or 6TiB, or a time such as 4h";
        let time = || parse::duration(text).map(Self::Time);
        let budget = bytes(text).map(Self::Bytes).or_else(|_| time());
        budget.map_err(|_| expected.to_owned())
    }
}

/// Bytes with a unit: powers of 1000 (`GB`, `G`) or of 1024 (`GiB`).
fn bytes(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let digits = text.trim_end_matches(|one: char| one.is_ascii_alphabetic());
    let unit = text.get(digits.len()..).unwrap_or_default();
    let (base, prefix) = match unit.strip_suffix("iB").or_else(|| unit.strip_suffix('i')) {
        Some(prefix) => (1024_u64, prefix),
        None => (1000, unit.strip_suffix('B').unwrap_or(unit)),
    };
    let power = ["", "K", "M", "G", "T", "P"]
        .iter()
        .position(|one| one.eq_ignore_ascii_case(prefix) && (*one == prefix || *one == "K"));
    let power = power.and_then(|power| u32::try_from(power).ok());
    let number = digits.trim().parse::<u64>().ok();
    let product = number
        .zip(power)
        .filter(|_| !unit.is_empty())
        .and_then(|(number, power)| number.checked_mul(base.checked_pow(power)?));
    product.ok_or_else(|| "expected bytes with a unit, such as 100MB or 6TiB".to_owned())
}

/// The name of a directory, and nothing that leads elsewhere.
fn run_name(text: &str) -> Result<String, String> {
    let is_plain = |one: char| one.is_ascii_alphanumeric() || "-_.:+".contains(one);
    let is_name = !text.is_empty() && text.len() <= 100 && !text.starts_with('.');
    if is_name && text.chars().all(is_plain) {
        return Ok(text.to_owned());
    }
    Err("expected a name of letters, digits, - _ . : + that does not begin with a dot".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_bytes_or_a_time() {
        let rows = [
            ("500GB", Some(BudgetArg::Bytes(500_000_000_000))),
            ("6T", Some(BudgetArg::Bytes(6_000_000_000_000))),
            ("2GiB", Some(BudgetArg::Bytes(2 << 30))),
            ("1kB", Some(BudgetArg::Bytes(1000))),
            ("10B", Some(BudgetArg::Bytes(10))),
            ("4h", Some(BudgetArg::Time(TimeDelta::hours(4)))),
            ("90m", Some(BudgetArg::Time(TimeDelta::minutes(90)))),
            ("10", None),
            ("", None),
            ("99999999999PB", None),
            ("4 gulps", None),
        ];
        for (text, expected) in rows {
            assert_eq!(text.parse::<BudgetArg>().ok(), expected, "{text}");
        }
    }

    #[test]
    fn shards_are_counted_from_0() {
        let shard = |index, of| Some(ShardArg { index, of });
        let rows = [
            ("0", shard(0, None)),
            ("3/8", shard(3, Some(8))),
            ("8/8", None),
            ("-1", None),
            ("a/b", None),
        ];
        for (text, expected) in rows {
            assert_eq!(text.parse::<ShardArg>().ok(), expected, "{text}");
        }
        assert!(run_name("../x").is_err());
        assert!(run_name(".x").is_err());
        assert_eq!(run_name("nightly-1"), Ok("nightly-1".to_owned()));
    }
}

//! What is made to fail, and when.

use rustix::process::Signal;

/// One run in which something fails.
#[derive(Debug)]
pub(super) struct Situation {
    pub(super) section: &'static str,
    pub(super) what: String,
    pub(super) step: &'static str,
    /// Shell variables of the fake `oc`.
    pub(super) scenario: String,
    /// Those of the fake script.
    pub(super) script: &'static str,
    pub(super) how: How,
}

/// How the run is started, and what is done to it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum How {
    /// A minute is half a second, of requests too; patience with the API server lasts for so many milliseconds.
    Scaled(u64),
    /// The command as it is.
    Command,
    /// The same with these options.
    With(&'static [&'static str]),
    /// The same, and a signal while the call of `slow_at` is held.
    Signal(Signal),
    /// The same, on real file systems of so many KiB: that of the host, and the one here. Needs root.
    Disks(Disks),
}

/// Small file systems in memory, each in the place of a directory; `None`: as it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Disks {
    pub(super) host_kib: Option<u32>,
    pub(super) here_kib: Option<u32>,
}

/// One table of the document.
pub(super) struct Section {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
}

const SLOW: &str = "A slow API server";
const OUT: &str = "An API server that is away";
const GONE: &str = "An API server, a node or a pod that is gone";
const RIGHTS: &str = "A missing right";
const DISK: &str = "A full disk";
const SIGNALS: &str = "A signal";

pub(super) const SECTIONS: &[Section] = &[
    Section {
        name: SLOW,
        about: "Every answer takes so long, or those of one step. A request is given 30 s at first, then twice and four times as much.",
    },
    Section {
        name: OUT,
        about: "From the first call of the step on, for so long; with the default `--patience 15m` (the look beforehand has a minute of it).",
    },
    Section {
        name: GONE,
        about: "From the first call of the step on, and for good: the API server refuses connections for longer than `--patience`; nobody answers on the node any more \
                (the kubelet is gone, new pods stay `Pending`); somebody deletes the debug pod.",
    },
    Section {
        name: RIGHTS,
        about: "What the user may not do, found by the look beforehand, or refused in the middle of the run.",
    },
    Section {
        name: DISK,
        about: "On the host, and here: real file systems of a few KiB or MiB. In mid-transfer, and while the host is being cleaned, somebody else fills the disk or makes it read-only.",
    },
    Section {
        name: SIGNALS,
        about: "At the call of the step: SIGINT (130) and SIGTERM (143). The cluster is cleaned up first. A second signal stops at once, and so does SIGKILL: heartbeats then tell the next run what is left.",
    },
];

/// The steps of a run, and the call of `oc` that each begins with.
const STEPS: [(&str, &str); 16] = [
    ("the look beforehand", "get nodes *"),
    ("making the namespace", "create namespace *"),
    ("its labels", "label namespace *"),
    ("its annotations", "annotate namespace *"),
    ("starting the debug pod", "debug *"),
    ("waiting for the pod", "get pod *"),
    ("room on the host", "exec * df *"),
    ("what earlier runs left", "exec * find *"),
    ("making the directory", "exec * mkdir *"),
    ("the script", "exec * /usr/local/bin/cluster-backup.sh *"),
    ("the files' sizes", "exec * stat -c %s %n *"),
    ("their digests", "exec * sha256sum *"),
    ("the transfer", "exec * cat */snapshot_*"),
    ("removing the directory", "exec * rm -rf *"),
    ("removing the pod", "delete pod *"),
    ("removing the namespace", "delete namespace *"),
];

/// Changes, each of which `oc auth can-i` is asked about; without the last ones it goes all the same.
const RIGHTS_TO_CHANGE: [&str; 13] = [
    "create namespaces",
    "get namespaces",
    "patch namespaces",
    "delete namespaces",
    "create pods",
    "get pods",
    "list pods",
    "watch pods",
    "delete pods",
    "get pods/log",
    "create pods/exec",
    "patch pods",
    "list namespaces",
];

const READS: [&str; 6] = [
    "clusterversions.config.openshift.io",
    "infrastructures.config.openshift.io",
    "clusteroperators.config.openshift.io",
    "proxies.config.openshift.io",
    "nodes",
    "pods",
];

pub(super) fn situations() -> Vec<Situation> {
    let mut all = Vec::new();
    slow(&mut all);
    out(&mut all);
    gone(&mut all);
    rights(&mut all);
    disk(&mut all);
    signals(&mut all);
    all
}

fn plain(section: &'static str, what: impl Into<String>, step: &'static str) -> Situation {
    Situation {
        section,
        what: what.into(),
        step,
        scenario: String::new(),
        script: "",
        how: How::Scaled(20_000),
    }
}

/// What does not come back need not be waited for long.
const BRIEF: How = How::Scaled(1_000);

/// Seconds of a real run as milliseconds of a scaled one.
fn scaled(seconds: u32) -> u32 {
    seconds * 500 / 60
}

fn slow(all: &mut Vec<Situation>) {
    for seconds in [20, 30, 60] {
        all.push(Situation {
            scenario: format!("slow_ms={}", scaled(seconds)),
            ..plain(SLOW, format!("each answer takes {seconds} s"), "always")
        });
    }
    for seconds in [20, 30, 60] {
        for (step, call) in STEPS {
            all.push(Situation {
                scenario: format!("slow_ms={}\nslow_calls='{call}'", scaled(seconds)),
                ..plain(
                    SLOW,
                    format!("the answers of one step take {seconds} s"),
                    step,
                )
            });
        }
    }
}

fn out(all: &mut Vec<Situation>) {
    let ways = [
        ("refused", "refuses connections"),
        ("hang", "does not answer"),
    ];
    let rows = [5, 60, 600].map(|seconds| ways.map(|(out_how, how)| (seconds, out_how, how)));
    for (seconds, out_how, how) in rows.into_iter().flatten() {
        for (step, call) in STEPS {
            all.push(Situation {
                scenario: format!(
                    "out_at='{call}'\nout_ms={}\nout_how={out_how}",
                    scaled(seconds)
                ),
                ..plain(OUT, format!("it {how} for {seconds} s"), step)
            });
        }
    }
}

fn gone(all: &mut Vec<Situation>) {
    for (step, call) in STEPS {
        all.push(Situation {
            scenario: format!("out_at='{call}'\nout_ms=600000"),
            how: BRIEF,
            ..plain(GONE, "the API server", step)
        });
    }
    for (step, call) in STEPS {
        if call.starts_with("exec") || call.starts_with("debug") {
            all.push(Situation {
                scenario: format!("node_gone_at='{call}'"),
                how: BRIEF,
                ..plain(GONE, "the node", step)
            });
        }
    }
    for (step, call) in STEPS {
        if let Some(command) = call.strip_prefix("exec * ") {
            // The script is still at work when its pod goes.
            let script = if command.contains(".sh") {
                "slow=3"
            } else {
                ""
            };
            for (what, deaths) in [("the pod, once", 1), ("the pod, over and over", 99)] {
                all.push(Situation {
                    scenario: format!(
                        "pod_dies_in='{command}'\npod_deaths={deaths}\nbreak_after=0"
                    ),
                    script,
                    ..plain(GONE, what, step)
                });
            }
        }
    }
}

fn rights(all: &mut Vec<Situation>) {
    for right in RIGHTS_TO_CHANGE {
        let how = match right {
            "patch pods" => How::With(&["--debug-namespace=etcd-backup"]),
            _ => How::Command,
        };
        all.push(Situation {
            scenario: format!("denied='|{right}|'"),
            how,
            ..plain(RIGHTS, format!("`{right}`"), "the look beforehand")
        });
    }
    for read in READS {
        let what = match read {
            "pods" => "`list pods` in openshift-etcd".to_owned(),
            read => format!("`get {read}`"),
        };
        all.push(Situation {
            scenario: format!("forbidden_reads='|{read}|'"),
            how: How::Command,
            ..plain(RIGHTS, what, "the look beforehand")
        });
    }
    for (what, scenario, step) in [
        ("credentials", "logged_in=no", "the look beforehand"),
        (
            "`create pods/exec`, refused after all",
            "exec_forbidden=yes",
            "room on the host",
        ),
        (
            "`delete pods` and `delete namespaces`, refused after all",
            "refuse_delete=yes",
            "removing the pod",
        ),
    ] {
        all.push(Situation {
            scenario: scenario.to_owned(),
            how: How::Command,
            ..plain(RIGHTS, what, step)
        });
    }
}

fn disk(all: &mut Vec<Situation>) {
    let rows = [
        (
            "on the host, beforehand",
            "room on the host",
            Some(4),
            None,
            String::new(),
        ),
        (
            "on the host, meanwhile",
            "the script",
            Some(400),
            None,
            String::new(),
        ),
        (
            "on the host, which becomes read-only",
            "removing the directory",
            Some(4096),
            None,
            "read_only_at='exec * rm -rf *'".to_owned(),
        ),
        (
            "here, beforehand",
            "room on the host",
            None,
            Some(4096),
            "fill_at='get nodes *'".to_owned(),
        ),
        (
            "here, before the transfer",
            "the transfer",
            None,
            Some(20_480),
            "fill_at='exec * cat */static_*'".to_owned(),
        ),
        (
            "here, in mid-transfer",
            "the transfer",
            None,
            Some(20_480),
            // Less room than the snapshot has bytes.
            "fill_at='exec * cat */static_*'\nfill_kib=20080".to_owned(),
        ),
    ];
    for (what, step, host_kib, here_kib, scenario) in rows {
        all.push(Situation {
            scenario,
            how: How::Disks(Disks { host_kib, here_kib }),
            ..plain(DISK, what, step)
        });
    }
}

fn signals(all: &mut Vec<Situation>) {
    for (signal, name) in [(Signal::INT, "SIGINT"), (Signal::TERM, "SIGTERM")] {
        for (step, call) in STEPS {
            all.push(Situation {
                scenario: format!("slow_at='{call}'\nslow_at_ms=3000"),
                how: How::Signal(signal),
                ..plain(SIGNALS, name, step)
            });
        }
    }
}

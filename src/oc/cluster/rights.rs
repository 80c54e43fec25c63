//! May this user do what a run does? One list of rules tells; what it does not show is asked for by itself.

use crate::monitor::Monitor;
use crate::oc::client::{Call, Oc, Patience, RunError, commands};

/// Something that a run does, and the reads do not prove.
#[derive(Clone, Copy, Debug)]
struct Need<'n> {
    verb: &'static str,
    resource: &'static str,
    /// Where it is done; `None` is the whole cluster.
    namespace: Option<&'n str>,
}

const NAMESPACES: [&str; 4] = ["create", "get", "patch", "delete"];

const IN_NAMESPACE: [(&str, &str); 6] = [
    ("create", "pods"),
    ("get", "pods"),
    ("list", "pods"),
    ("watch", "pods"),
    ("delete", "pods"),
    ("get", "pods/log"),
];

const EXEC: (&str, &str) = ("create", "pods/exec");

/// For the heartbeat on a pod; a namespace of our own has it itself.
const MARK: (&str, &str) = ("patch", "pods");

/// What this user may do.
pub(super) struct Rights {
    /// What is missing, as `create pods`.
    pub(super) denied: Vec<String>,
    pub(super) may_exec: bool,
    pub(super) may_mark: bool,
}

/// Reads the list of rules, whatever came of it, and asks for the rest.
///
/// A list may be incomplete (an authoriser that cannot list its rules), and some rules are narrowed to names: what
/// is shown is granted, what is not shown is not denied yet.
pub(super) fn rights(
    oc: &Oc,
    listed: Result<String, RunError>,
    namespace: &str,
    is_temporary: bool,
    patience: Patience,
    monitor: &dyn Monitor,
) -> Result<Rights, RunError> {
    let table = match listed {
        Ok(table) => table,
        Err(error @ RunError::Failed { .. }) if !error.is_not_logged_in() && !error.is_away() => {
            String::new()
        }
        Err(error) => return Err(error),
    };
    let rules: Vec<Rule> = table.lines().filter_map(Rule::parse).collect();
    let mut open = needs(namespace, is_temporary);
    open.retain(|need| !rules.iter().any(|rule| rule.grants(need)));
    let calls: Vec<Call> = open
        .iter()
        .map(|need| commands::can_i(need.verb, need.resource, need.namespace))
        .collect();
    let answers = oc.ask_all(&calls, patience, monitor);
    let mut rights = Rights {
        denied: Vec::new(),
        may_exec: true,
        may_mark: true,
    };
    for (need, answer) in open.iter().zip(answers) {
        if is_yes(answer)? {
            continue;
        }
        match (need.verb, need.resource) {
            EXEC => rights.may_exec = false,
            MARK => rights.may_mark = false,
            (verb, resource) => rights.denied.push(format!("{verb} {resource}")),
        }
    }
    Ok(rights)
}

fn needs(namespace: &str, is_temporary: bool) -> Vec<Need<'_>> {
    let wide = NAMESPACES.iter().map(|&verb| Need {
        verb,
        resource: "namespaces",
        namespace: None,
    });
    let inside = IN_NAMESPACE
        .iter()
        .chain([&EXEC])
        .chain((!is_temporary).then_some(&MARK))
        .map(|&(verb, resource)| Need {
            verb,
            resource,
            namespace: Some(namespace),
        });
    wide.filter(|_| is_temporary).chain(inside).collect()
}

/// Prints `yes` (status 0) or `no` (status 1), perhaps followed by ` - ` and a reason; warnings go to stderr.
fn is_yes(answer: Result<String, RunError>) -> Result<bool, RunError> {
    match answer {
        Ok(answer) => Ok(answer.trim().starts_with("yes")),
        Err(RunError::Failed {
            code: Some(1),
            stderr,
            ..
        }) if !is_error(&stderr) => Ok(false),
        Err(error) => Err(error),
    }
}

/// `Warning: resource 'namespaces' is not namespace scoped` is none.
fn is_error(stderr: &str) -> bool {
    stderr
        .lines()
        .any(|line| !line.trim().is_empty() && !line.starts_with("Warning"))
}

/// One row of `oc auth can-i --list` that is about resources.
struct Rule<'t> {
    /// `pods`, `pods/exec`, `clusterversions.config.openshift.io`, `*.*`
    resource: &'t str,
    verbs: Vec<&'t str>,
}

impl<'t> Rule<'t> {
    /// Rules for named objects, and those for paths of the API, are passed over.
    ///
    /// ```text
    /// Resources    Non-Resource URLs   Resource Names   Verbs
    /// pods         []                  []               [create get list watch delete]
    ///              [/healthz]          []               [get]
    /// ```
    fn parse(line: &'t str) -> Option<Self> {
        let (resource, rest) = line.split_once('[')?;
        let rest = rest.strip_prefix(']')?.trim_start().strip_prefix("[]")?;
        let verbs = rest.trim().strip_prefix('[')?.strip_suffix(']')?;
        let resource = resource.trim();
        (!resource.is_empty()).then(|| Self {
            resource,
            verbs: verbs.split_ascii_whitespace().collect(),
        })
    }

    fn grants(&self, need: &Need<'_>) -> bool {
        let is_verb = |verb: &&str| *verb == "*" || *verb == need.verb;
        let is_resource =
            self.resource == need.resource || self.resource == "*" || self.resource == "*.*";
        is_resource && self.verbs.iter().any(is_verb)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the real `oc` printed it for the account of the documentation.
    fn recorded() -> String {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/testdata/real/oc/answers.json");
        let text = std::fs::read_to_string(path).expect("it is there");
        let cases: Vec<serde_json::Value> = serde_json::from_str(&text).expect("JSON");
        let text = |case: &serde_json::Value, field| Some(case.get(field)?.as_str()?.to_owned());
        let case = cases
            .iter()
            .find(|case| text(case, "case").as_deref() == Some("can-i list"));
        text(case.expect("it was recorded"), "stdout").expect("text")
    }

    fn granted(table: &str) -> Vec<String> {
        let rules: Vec<Rule> = table.lines().filter_map(Rule::parse).collect();
        needs("etcd-cat", true)
            .iter()
            .filter(|need| rules.iter().any(|rule| rule.grants(need)))
            .map(|need| format!("{} {}", need.verb, need.resource))
            .collect()
    }

    #[test]
    fn what_the_real_list_shows_is_granted() {
        let expected = [
            "create pods",
            "get pods",
            "list pods",
            "watch pods",
            "delete pods",
        ];
        assert_eq!(granted(&recorded()), expected);
    }

    #[test]
    fn all_rights_grant_all_and_narrowed_ones_nothing() {
        let all = needs("etcd-cat", true).len();
        assert_eq!(granted("*.*   []   []   [*]").len(), all);
        assert_eq!(granted("*     []   []   [*]").len(), all);
        for none in [
            "",
            "Resources   Non-Resource URLs   Resource Names   Verbs",
            "namespaces        []           [etcd-cat]   [get]",
            "                  [*]          []           [*]",
            "pods.metrics.k8s.io   []   []   [create get list]",
            "pods/exec         []           []           []",
            "pods [",
            "pods [] [] create",
        ] {
            assert_eq!(granted(none), Vec::<String>::new(), "{none}");
        }
        assert_eq!(
            granted("pods/exec   []   []   [create]"),
            ["create pods/exec"]
        );
    }
}

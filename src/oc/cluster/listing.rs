//! Objects of the live cluster by name and resourceVersion: what `diff --live` compares a backup with.
//!
//! The API server gives whole objects, Secrets among them, and `oc` alone sees them: its template prints names and
//! resourceVersions, and nothing else is ever heard here.

use crate::monitor::Monitor;
use crate::oc::client::{Oc, RunError, RunLimits, commands, one_line};
use std::collections::BTreeSet;
use std::time::Duration;

/// All objects of many kinds come page by page, each within the time of one request.
const LIST_DEADLINE: Duration = Duration::from_secs(300);

/// `oc api-resources` ends with this when the API server behind one group is away; what it printed is all of the rest.
const INCOMPLETE: &str = "unable to retrieve the complete list of server APIs";

/// One object of the live cluster. No `Debug`: names of OAuth tokens are secret.
pub(crate) struct LiveObject {
    /// Empty for the core group.
    pub(crate) group: String,
    /// Such as `Deployment`.
    pub(crate) kind: String,
    /// `None` for cluster-wide objects.
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
    /// The revision of etcd that changed it last.
    pub(crate) revision: i64,
}

/// What the cluster gave of some kinds.
#[derive(Default)]
pub(crate) struct Listing {
    pub(crate) objects: Vec<LiveObject>,
    /// Kinds that it did not give, such as `secrets`, and why.
    pub(crate) refused: Vec<(String, String)>,
}

/// What can be listed, as `plural.group`, or `plural` in the core group.
pub(crate) fn served(oc: &Oc, monitor: &dyn Monitor) -> Result<BTreeSet<String>, RunError> {
    let (printed, ended) = oc.hear(&commands::api_resources(), oc.request_limits(), monitor);
    match ended {
        Err(error) if !error.stderr().contains(INCOMPLETE) => Err(error),
        _ => Ok(printed.lines().map(|line| line.trim().to_owned()).collect()),
    }
}

/// Lists all objects of some kinds, in one call unless some kind is refused.
pub(crate) fn list(
    oc: &Oc,
    resources: &[String],
    namespace: Option<&str>,
    monitor: &dyn Monitor,
) -> Result<Listing, RunError> {
    let limits = RunLimits {
        deadline: oc.patient(LIST_DEADLINE),
        silence: None,
    };
    let mut listing = Listing::default();
    let mut pending = vec![resources.to_vec()];
    while let Some(asked) = pending.pop() {
        let call = commands::names(&asked, namespace);
        match oc.capture(&call, limits, monitor) {
            Ok(printed) => {
                let objects =
                    parse(&printed).map_err(|line| oc.other_line(&call, EXPECTED, line))?;
                listing.objects.extend(objects);
            }
            Err(error) if is_of_the_kinds(&error) => {
                pending.extend(without_refused(asked, &error, &mut listing.refused));
            }
            Err(error) => return Err(error),
        }
    }
    Ok(listing)
}

/// It says something of these kinds, not of the whole cluster or of the way to it.
fn is_of_the_kinds(error: &RunError) -> bool {
    matches!(error, RunError::Failed { .. }) && !error.is_not_logged_in() && !error.is_cut_off()
}

/// What is asked again: the kinds that the error does not name; where it names none, one half after the other.
fn without_refused(
    mut asked: Vec<String>,
    error: &RunError,
    refused: &mut Vec<(String, String)>,
) -> Vec<Vec<String>> {
    let is_forbidden = |resource: &mut String| error.stderr().contains(&forbidden(resource));
    let named: Vec<String> = asked.extract_if(.., is_forbidden).collect();
    let reason = "this user may not list them";
    let has_named = !named.is_empty();
    refused.extend(named.into_iter().map(|one| (one, reason.to_owned())));
    match asked.as_slice() {
        [] => Vec::new(),
        _ if has_named => vec![asked],
        [only] => {
            refused.push((only.clone(), one_line(error.stderr())));
            Vec::new()
        }
        several => {
            let (left, right) = several.split_at(several.len() / 2);
            vec![right.to_vec(), left.to_vec()]
        }
    }
}

/// Words of the API server: `... cannot list resource "secrets" in API group "" at the cluster scope`.
fn forbidden(resource: &str) -> String {
    let (plural, group) = resource.split_once('.').unwrap_or((resource, ""));
    format!("cannot list resource \"{plural}\" in API group \"{group}\"")
}

const EXPECTED: &str = "apiVersion, kind, namespace, name and resourceVersion in each line";

/// Reads what the template prints; the number of the first line that is something else, from 1.
fn parse(printed: &str) -> Result<Vec<LiveObject>, usize> {
    let lines = printed.lines().enumerate();
    lines
        .map(|(number, line)| parse_line(line).ok_or(number + 1))
        .collect()
}

/// ```text
/// apps/v1 Deployment shop web 790
/// v1 Node  worker-2 312
/// ```
fn parse_line(line: &str) -> Option<LiveObject> {
    let mut words = line.split(' ');
    let (version, kind) = (words.next()?, words.next()?);
    let (namespace, name) = (unescape(words.next()?)?, unescape(words.next()?)?);
    let revision = words.next()?.parse().ok()?;
    let is_whole = words.next().is_none() && !kind.is_empty() && !name.is_empty();
    is_whole.then(|| LiveObject {
        group: version
            .split_once('/')
            .map_or("", |(group, _)| group)
            .to_owned(),
        kind: kind.to_owned(),
        namespace: Some(namespace).filter(|namespace| !namespace.is_empty()),
        name,
        revision,
    })
}

/// What Go's `urlquery` made of a text: names of roles may hold spaces and line ends.
fn unescape(word: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(word.len());
    let mut rest = word.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || char::from(rest.next()?).to_digit(16);
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            plain => plain,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_the_template_prints_them() {
        let printed = "apps/v1 Deployment shop web 790\nv1 Node  worker-2 312\n\
                       rbac.authorization.k8s.io/v1 Role shop we+ird+%252F%09%22x%22%0Ay 9\n";
        let objects = parse(printed).unwrap_or_default();
        let told: Vec<String> = objects
            .iter()
            .map(|one| {
                let namespace = one.namespace.as_deref().unwrap_or("-");
                format!(
                    "{}|{}|{namespace}|{}|{}",
                    one.group, one.kind, one.name, one.revision
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                "apps|Deployment|shop|web|790",
                "|Node|-|worker-2|312",
                "rbac.authorization.k8s.io|Role|shop|we ird %2F\t\"x\"\ny|9"
            ]
        );
    }

    #[test]
    fn other_lines_are_told_by_their_number() {
        let good = "v1 Pod shop a 5\n";
        for bad in [
            "",
            "v1 Pod shop a",
            "v1 Pod shop a 5 6",
            "v1 Pod shop a <none>",
            "v1 Pod shop  5",
            "v1 Pod shop a%2 5",
            "v1 Pod shop a%zz 5",
            "v1 Pod shop %FF 5",
            "No resources found",
        ] {
            let printed = format!("{good}{bad}\n{good}");
            assert_eq!(parse(&printed).err(), Some(2), "{bad:?}");
        }
    }

    fn failed(stderr: &str) -> RunError {
        RunError::Failed {
            command: "oc get".to_owned(),
            status: "exit code 1".to_owned(),
            code: Some(1),
            stderr: stderr.to_owned(),
        }
    }

    #[test]
    fn what_is_forbidden_is_left_out_and_what_fails_unnamed_is_halved() {
        let asked = || {
            ["pods", "secrets", "deployments.apps"]
                .map(str::to_owned)
                .to_vec()
        };
        let names = |asked: &[&str]| {
            asked
                .iter()
                .map(|one| (*one).to_owned())
                .collect::<Vec<_>>()
        };
        let mut refused = Vec::new();
        let error = failed(
            "Error from server (Forbidden): secrets is forbidden: User \"u\" cannot list resource \"secrets\" in API group \"\" at the cluster scope",
        );
        let again = without_refused(asked(), &error, &mut refused);
        assert_eq!(again, [names(&["pods", "deployments.apps"])]);
        assert_eq!(
            refused,
            [(
                "secrets".to_owned(),
                "this user may not list them".to_owned()
            )]
        );
        let error = failed("Error from server (InternalError): conversion webhook failed");
        let again = without_refused(asked(), &error, &mut refused);
        assert_eq!(
            again,
            [names(&["secrets", "deployments.apps"]), names(&["pods"])]
        );
        assert_eq!(refused.len(), 1);
        let again = without_refused(names(&["pods"]), &error, &mut refused);
        assert!(again.is_empty() && refused.len() == 2, "{again:?}");
    }

    #[test]
    fn an_api_server_that_is_away_is_no_refusal() {
        for text in [
            "Unable to connect to the server: dial tcp: no route to host",
            "The connection to the server 127.0.0.1:6443 was refused - did you specify the right host or port?",
            "error: You must be logged in to the server (Unauthorized)",
        ] {
            assert!(!is_of_the_kinds(&failed(text)), "{text}");
        }
        assert!(is_of_the_kinds(&failed(
            "Error from server (InternalError): x"
        )));
    }
}

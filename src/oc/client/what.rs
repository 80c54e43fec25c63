//! What a call asks for, in a few words: told while its answer is waited for.

use super::commands::Call;

/// More of a command line tells nothing more.
const SHOWN_WORDS: usize = 3;

impl Call {
    /// `oc get nodes`, `cluster-backup.sh on the host`, `snapshot_2024-11-02_030005.db from the host`.
    pub(super) fn what(&self) -> String {
        let mut words = self.args.iter().map(String::as_str);
        match words.position(|word| word == "/host") {
            Some(_) => on_the_host(&words.collect::<Vec<_>>()),
            None => of_the_cluster(&self.args),
        }
    }
}

fn on_the_host(words: &[&str]) -> String {
    let name = |path: &str| path.rsplit('/').next().unwrap_or(path).to_owned();
    let script = words.iter().find(|word| word.ends_with(".sh"));
    match (words, script) {
        (_, Some(script)) => format!("{} on the host", name(script)),
        (["cat" | "tail", .., path], None) => format!("{} from the host", name(path)),
        (["sh", ..], None) => "a command on the host".to_owned(),
        ([program, ..], None) => format!("{program} on the host"),
        ([], None) => "the host".to_owned(),
    }
}

/// The words up to the first flag, and no labels; a type without its group, and of several objects none.
fn of_the_cluster(words: &[String]) -> String {
    let is_plain = |word: &&String| !word.starts_with('-') && !word.contains('=');
    let mut shown: Vec<&str> = words
        .iter()
        .take_while(is_plain)
        .map(String::as_str)
        .collect();
    if shown.first() == Some(&"get") {
        if let Some(kind) = shown.get_mut(1) {
            *kind = kind.split('.').next().unwrap_or(kind);
        }
        if shown.len() > SHOWN_WORDS {
            shown.truncate(2);
        }
    }
    format!("oc {}", shown.join(" "))
}

#[cfg(test)]
mod tests {
    use super::super::commands::{self, HostAccess};

    #[test]
    fn a_call_is_told_in_a_few_words() {
        let access = HostAccess::Exec {
            namespace: "n".to_owned(),
            pod: "p".to_owned(),
        };
        let rows = [
            (commands::nodes(), "oc get nodes"),
            (commands::cluster_operators(), "oc get clusteroperators"),
            (
                commands::can_i("create", "pods/exec", None),
                "oc auth can-i create pods",
            ),
            (commands::label_namespace("n"), "oc label namespace n"),
            (commands::delete_namespace("n"), "oc delete namespace n"),
            (
                commands::debug_sleep("m.example.com", "n", 1800),
                "oc debug node/m.example.com",
            ),
            (
                access.run(&["df", "-P", "-k", "/home/core"]),
                "df on the host",
            ),
            (
                access.run(&[
                    "env",
                    "A=b",
                    "/usr/local/bin/cluster-backup.sh",
                    "/home/core/x",
                ]),
                "cluster-backup.sh on the host",
            ),
            (
                access.run(&["tail", "-c", "+7", "/home/core/x/s.db"]),
                "s.db from the host",
            ),
            (
                access.run(&["sh", "-c", "pgrep -f x"]),
                "a command on the host",
            ),
        ];
        for (call, expected) in rows {
            assert_eq!(call.what(), expected);
        }
    }
}

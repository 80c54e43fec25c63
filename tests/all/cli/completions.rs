//! What Tab offers in each shell.

use crate::cli::environment::TestEnv;
use crate::support::samples;
use std::path::Path;
use std::process::Command;

/// A shell, and the words that it starts with to complete the line in `$1` or `$argv[1]`.
struct Shell {
    program: &'static str,
    arguments: &'static [&'static str],
}

const BASH: Shell = Shell {
    program: "bash",
    arguments: &[
        "--norc",
        "-c",
        r#"
        source <(etcd-cat completions bash)
        COMP_LINE=$1; COMP_POINT=${#1}
        read -ra COMP_WORDS <<< "$1"
        [[ $1 == *" " ]] && COMP_WORDS+=("")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _etcd_cat
        printf '%s\n' "${COMPREPLY[@]}"
        "#,
        "bash",
    ],
};

/// The widget's own commands stand in for its engine, which wants a terminal: `compset -P` cuts what stands before.
const ZSH: Shell = Shell {
    program: "zsh",
    arguments: &[
        "-f",
        "-c",
        r#"
        compdef() { :; }
        _files() { :; }
        before=""
        compset() { before="${words[CURRENT]%%=*}="; }
        compadd() { print -rl -- "$before"${^${(@P)${@[-1]}}}; }
        source <(etcd-cat completions zsh)
        words=(${(z)1}); [[ $1 == *" " ]] && words+=("")
        CURRENT=${#words}
        _etcd_cat
        "#,
        "zsh",
    ],
};

const FISH: Shell = Shell {
    program: "fish",
    arguments: &[
        "--no-config",
        "-c",
        r#"
        source (etcd-cat completions fish | psub)
        complete -C "$argv[1]" | string split --fields 1 \t
        true
        "#,
    ],
};

impl Shell {
    /// What is offered at the end of `line`; `None` on a machine without this shell.
    fn offered(&self, env: &TestEnv, line: &str) -> Option<Vec<String>> {
        let program = Path::new(assert_cmd::cargo::cargo_bin!("etcd-cat"));
        let programs = program.parent()?.to_str()?.to_owned();
        let output = Command::new(self.program)
            .args(self.arguments)
            .arg(line)
            .env_clear()
            .env("PATH", format!("{programs}:/usr/bin:/bin"))
            .env("HOME", env.path(""))
            .env("ETCD_CAT_CATALOGUE", env.path("catalogue.redb"))
            .output()
            .ok()?;
        assert!(output.status.success(), "{output:?}");
        let words = String::from_utf8(output.stdout).expect("plain words");
        let words = words.lines().filter(|word| !word.is_empty());
        Some(words.map(str::to_owned).collect())
    }

    fn completes(&self, more: &[(&str, &str)]) {
        let env = TestEnv::new();
        for name in ["prod", "edge"] {
            let data = samples::testdata().join("backups").join(name);
            let data = data.to_str().expect("a plain name");
            env.run(&["index", "-o", "name", data]);
        }
        for (line, expected) in LINES.iter().chain(more) {
            let Some(found) = self.offered(&env, line) else {
                return;
            };
            assert!(
                found.iter().any(|word| word == expected),
                "{}: {line}: {found:?}",
                self.program
            );
        }
        let none = self.offered(&env, "etcd-cat verify /no-such");
        assert_eq!(none, Some(Vec::new()), "{}", self.program);
    }
}

const LINES: [(&str, &str); 12] = [
    ("etcd-cat ver", "verify"),
    ("etcd-cat list --fir", "--first-seen"),
    ("etcd-cat show 27", "27be558ad3a9"),
    ("etcd-cat show lat", "latest-valid"),
    ("etcd-cat list --cluster ed", "edge-q9w4z"),
    ("etcd-cat list --valid-for 4.17.3", "4.17.3"),
    ("etcd-cat list --accept digest-mis", "digest-mismatch"),
    ("etcd-cat explain too-y", "too-young"),
    ("etcd-cat list -o j", "json"),
    ("etcd-cat -q list --output ", "wide"),
    ("etcd-cat completions z", "zsh"),
    ("etcd-cat backup --force too", "too-young"),
];

#[test]
fn bash_completes_commands_options_ids_clusters_versions_and_codes() {
    BASH.completes(&[("etcd-cat check --valid-for=4.17.3", "4.17.3")]);
}

#[test]
fn zsh_completes_the_same() {
    let whole = ("etcd-cat check --valid-for=4.17", "--valid-for=4.17.3");
    ZSH.completes(&[whole]);
}

#[test]
fn fish_completes_the_same() {
    let whole = ("etcd-cat check --valid-for=4.17", "--valid-for=4.17.3");
    FISH.completes(&[whole]);
}

//! `docs/findings.md`, made from the codes and their explanations.

use super::assert_made;
use etcd_cat::explain::{AdviceStep, Explanation, explain};
use etcd_cat::finding::{Artifact, Code, Severity};
use etcd_cat::oc::ReasonCode;
use etcd_cat::selection::REASONS;
use std::fmt::Write as _;

const HEAD: &str = "\
# Findings

Made from the code (`ETCD_CAT_BLESS=1 cargo test --all-features --test all documents`); the same as `etcd-cat explain`.

A finding has a stable code, a severity, the thing it is about, a message that names the place, evidence, and what to do. Codes never change their
meaning; messages may change their words. `error` makes a backup invalid, `warning` makes it one to be used with care, `info` changes nothing. The
severity is the usual one: a finding that knows better has another, and says why.

`--accept CODE` lets a finding not count this time; the output says so.

";

fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

fn artifact(artifact: Artifact) -> &'static str {
    match artifact {
        Artifact::Snapshot => "snapshot",
        Artifact::Kuberesources => "kuberesources",
        Artifact::Pair => "pair",
        Artifact::Catalogue => "catalogue",
        Artifact::Location => "location",
    }
}

fn table() -> String {
    let mut table = "| code | severity | about | meaning |\n|---|---|---|---|\n".to_owned();
    for &code in Code::ALL {
        let (severity, about) = (severity(code.severity()), artifact(code.artifact()));
        let title = explain(code).title.replace('|', "\\|");
        writeln!(
            table,
            "| [`{code}`](#{code}) | {severity} | {about} | {title} |"
        )
        .expect("a string takes everything");
    }
    table
}

fn section(code: Code) -> String {
    let text = explain(code);
    let (severity, about) = (severity(code.severity()), artifact(code.artifact()));
    let head = format!(
        "\n## {code}\n\n{severity}, {about}: {title}.\n\n{meaning}\n\nIn short: {remedy}.\n",
        title = text.title,
        meaning = text.meaning,
        remedy = code.remedy()
    );
    head + &steps(text)
}

fn steps(text: &Explanation) -> String {
    let steps = text.steps.iter().map(|step| match step {
        AdviceStep::Do(sentence) => format!("* {sentence}\n"),
        AdviceStep::Run(command) => format!("  * `{command}`\n"),
    });
    std::iter::once("\n".to_owned()).chain(steps).collect()
}

/// Reasons that are no findings, under a title of their own.
fn reasons<'e>(title: &str, rows: impl Iterator<Item = (&'e str, &'e Explanation)>) -> String {
    let mut text = format!("\n# {title}\n");
    for (code, explanation) in rows {
        let (title, meaning) = (explanation.title, explanation.meaning);
        let head = format!("\n## {code}: {title}\n\n{meaning}\n");
        text += &(head + &steps(explanation));
    }
    text
}

#[test]
fn the_reference_of_findings_is_what_explain_says() {
    let sections: String = Code::ALL.iter().copied().map(section).collect();
    let against = reasons(
        "Reasons against a backup that are no findings",
        REASONS.iter().map(|(code, text)| (*code, text)),
    );
    let refusals = reasons(
        "Reasons of `backup` not to start",
        ReasonCode::ALL
            .iter()
            .map(|code| (code.as_str(), code.explanation())),
    );
    let table = table();
    assert_made(
        "docs/findings.md",
        &format!("{HEAD}{table}{sections}{against}{refusals}"),
    );
}

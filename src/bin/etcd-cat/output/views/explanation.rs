//! Explanations as documents.

use super::API_VERSION;
use crate::args::Topic;
use etcd_cat::explain::{AdviceStep, explain};
use etcd_cat::finding::{Artifact, Code, Severity};
use serde::Serialize;

/// `kind: Explanation`, of `explain CODE`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExplanationView {
    /// Always `etcd-cat/v1`.
    api_version: &'static str,
    /// Always `Explanation`.
    kind: &'static str,
    /// Stable name.
    code: &'static str,
    /// What it usually weighs; null for a reason.
    severity: Option<Severity>,
    /// What it is usually about; null for a reason.
    artifact: Option<Artifact>,
    /// A few words.
    title: &'static str,
    /// What it is and why it matters.
    meaning: &'static str,
    /// What to do, in order.
    steps: Vec<ExplainedStepView>,
    /// The same in one sentence; empty for a reason.
    remedy: &'static str,
}

/// One step: a sentence or a command, the other one is null.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct ExplainedStepView {
    /// A sentence; null for a command.
    text: Option<&'static str>,
    /// A command line; null for a sentence.
    command: Option<&'static str>,
}

/// `kind: ExplanationList`, of `explain`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExplanationListView {
    /// Always `etcd-cat/v1`.
    api_version: &'static str,
    /// Always `ExplanationList`.
    kind: &'static str,
    /// Every finding, in the order of the reference, then the reasons.
    items: Vec<ExplanationView>,
}

impl ExplanationView {
    /// The document of one code.
    pub(crate) fn new(topic: Topic) -> Self {
        let (finding, text) = match topic {
            Topic::Finding(code) => (Some(code), explain(code)),
            Topic::Refusal(code) => (None, code.explanation()),
            Topic::Against(_, text) => (None, text),
        };
        Self {
            api_version: API_VERSION,
            kind: "Explanation",
            code: topic.code(),
            severity: finding.map(Code::severity),
            artifact: finding.map(Code::artifact),
            title: text.title,
            meaning: text.meaning,
            steps: text
                .steps
                .iter()
                .copied()
                .map(ExplainedStepView::new)
                .collect(),
            remedy: finding.map_or("", Code::remedy),
        }
    }
}

impl ExplainedStepView {
    fn new(step: AdviceStep) -> Self {
        match step {
            AdviceStep::Do(text) => Self {
                text: Some(text),
                command: None,
            },
            AdviceStep::Run(command) => Self {
                text: None,
                command: Some(command),
            },
        }
    }
}

impl ExplanationListView {
    /// The document of all codes.
    pub(crate) fn all() -> Self {
        Self {
            api_version: API_VERSION,
            kind: "ExplanationList",
            items: Topic::all().map(ExplanationView::new).collect(),
        }
    }
}

//! Explanations as documents.

use super::API_VERSION;
use crate::args::Topic;
use etcd_cat::explain::{AdviceStep, explain};
use etcd_cat::finding::{Artifact, Code, Severity};
use serde::Serialize;

/// `kind: Explanation`
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExplanationView {
    api_version: &'static str,
    kind: &'static str,
    code: &'static str,
    severity: Option<Severity>,
    artifact: Option<Artifact>,
    title: &'static str,
    meaning: &'static str,
    steps: Vec<ExplainedStepView>,
    remedy: &'static str,
}

/// One step: a sentence or a command, the other one is null.
#[derive(Clone, Debug, PartialEq, Serialize)]
struct ExplainedStepView {
    text: Option<&'static str>,
    command: Option<&'static str>,
}

/// `kind: ExplanationList`
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ExplanationListView {
    api_version: &'static str,
    kind: &'static str,
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

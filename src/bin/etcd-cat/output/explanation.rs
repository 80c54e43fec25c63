//! Explanations for reading.

use super::table::{self, Column};
use super::views::{ExplanationListView, ExplanationView};
use super::wrap::paragraph;
use super::{Answer, Style};
use crate::args::Topic;
use etcd_cat::explain::{AdviceStep, Explanation, explain};
use etcd_cat::finding::{Code, Severity};
use etcd_cat::oc::ReasonCode;
use serde::Serialize;

/// Paragraphs wider than this are hard to read.
const MAX_WIDTH: usize = 100;

/// The explanation of one code.
#[derive(Debug)]
pub(crate) struct TopicDetails(pub(crate) Topic);

/// The explanations of all codes.
#[derive(Debug)]
pub(crate) struct CodeList;

impl Answer for TopicDetails {
    fn document(&self, _: &Style) -> impl Serialize {
        ExplanationView::new(self.0)
    }

    fn names(&self) -> Vec<String> {
        vec![self.0.code().to_owned()]
    }

    fn page(&self, style: &Style) -> String {
        page(self.0, style)
    }
}

impl Answer for CodeList {
    fn document(&self, _: &Style) -> impl Serialize {
        ExplanationListView::all()
    }

    fn names(&self) -> Vec<String> {
        Code::ALL.iter().map(ToString::to_string).collect()
    }

    fn page(&self, style: &Style) -> String {
        if style.is_verbose {
            let pages: Vec<String> = Topic::all().map(|topic| page(topic, style)).collect();
            return pages.join("\n");
        }
        list(style)
    }
}

/// What it is called in the list, and its explanations: what is a finding may be a reason of `backup` too.
fn texts(topic: Topic) -> (&'static str, Vec<&'static Explanation>) {
    match topic {
        Topic::Finding(code) => {
            let refusal = code.as_str().parse::<ReasonCode>().ok();
            let refusal = refusal.map(ReasonCode::explanation);
            let texts = std::iter::once(explain(code)).chain(refusal);
            (severity(code), texts.collect())
        }
        Topic::Refusal(code) => ("backup refuses", vec![code.explanation()]),
        Topic::Against(_, text) => ("does not qualify", vec![text]),
    }
}

fn page(topic: Topic, style: &Style) -> String {
    let width = style.width.map(|width| width.min(MAX_WIDTH));
    let (weight, texts) = texts(topic);
    let mut page = format!("{} ({weight})\n", topic.code());
    for (number, text) in texts.into_iter().enumerate() {
        if number > 0 {
            page.push_str("\nAs a reason of etcd-cat backup not to start\n");
        }
        page.push_str(&of(text, width));
    }
    page
}

fn of(text: &Explanation, width: Option<usize>) -> String {
    let mut page = paragraph("", text.title, width);
    page.push('\n');
    page.push_str(&paragraph("  ", text.meaning, width));
    page.push_str("\nWhat to do\n");
    for step in text.steps {
        match step {
            AdviceStep::Do(sentence) => page.push_str(&paragraph("  - ", sentence, width)),
            // Commands are there to be copied: one line each.
            AdviceStep::Run(command) => page.push_str(&format!("      {command}\n")),
        }
    }
    page
}

fn list(style: &Style) -> String {
    let topics: Vec<Topic> = Topic::all().collect();
    let title = |topic: Topic| {
        texts(topic)
            .1
            .first()
            .map_or("", |text| text.title)
            .to_owned()
    };
    let each = |cell: &dyn Fn(Topic) -> String| topics.iter().copied().map(cell).collect();
    let columns = vec![
        Column::fixed("CODE", 0, each(&|topic| topic.code().to_owned())),
        Column::fixed("SEVERITY", 0, each(&|topic| texts(topic).0.to_owned())),
        Column::wrapping("MEANING", 0, each(&title)),
    ];
    table::render(columns, style)
}

/// The usual severity in one word.
fn severity(code: Code) -> &'static str {
    match code.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

//! Explanations for reading.

use super::table::{self, Column};
use super::views::{ExplanationListView, ExplanationView};
use super::wrap::paragraph;
use super::{Answer, Style};
use etcd_cat::explain::{AdviceStep, explain};
use etcd_cat::finding::{Code, Severity};
use serde::Serialize;

/// Paragraphs wider than this are hard to read.
const MAX_WIDTH: usize = 100;

/// The explanation of one code.
#[derive(Debug)]
pub(crate) struct CodeDetails(pub(crate) Code);

/// The explanations of all codes.
#[derive(Debug)]
pub(crate) struct CodeList;

impl Answer for CodeDetails {
    fn document(&self, _: &Style) -> impl Serialize {
        ExplanationView::new(self.0)
    }

    fn names(&self) -> Vec<String> {
        vec![self.0.to_string()]
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
            let pages: Vec<String> = Code::ALL.iter().map(|code| page(*code, style)).collect();
            return pages.join("\n");
        }
        list(style)
    }
}

fn page(code: Code, style: &Style) -> String {
    let width = style.width.map(|width| width.min(MAX_WIDTH));
    let text = explain(code);
    let mut page = format!("{code} ({})\n", severity(code));
    page.push_str(&paragraph("", text.title, width));
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
    let each = |cell: &dyn Fn(Code) -> String| Code::ALL.iter().copied().map(cell).collect();
    let columns = vec![
        Column::fixed("CODE", 0, each(&|code| code.to_string())),
        Column::fixed("SEVERITY", 0, each(&|code| severity(code).to_owned())),
        Column::wrapping("MEANING", 0, each(&|code| explain(code).title.to_owned())),
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

//! The manual page: what clap knows, and the sections that people look for in one.

use clap::{Arg, Command};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use std::io;

const EXIT_STATUS: [(&str, &str); 4] = [
    (
        "0",
        "Done, and the answer is good: something was selected and everything selected is usable, or at least one backup \
         qualifies.",
    ),
    (
        "1",
        "Done, and the answer is bad: something selected is invalid, nothing qualifies, or no backup was found where one \
         was looked for.",
    ),
    (
        "2",
        "Not done: wrong usage, unreadable input, catalogue locked or damaged, oc failed.",
    ),
    (
        "130, 143",
        "Interrupted; nothing half-written is left behind.",
    ),
];

const FILES: [(&str, &str); 3] = [
    (
        "/var/lib/etcd-cat/catalogue.redb",
        "The catalogue of root; it can always be built again from the files.",
    ),
    (
        "$XDG_DATA_HOME/etcd-cat/catalogue.redb",
        "The catalogue of everybody else; without XDG_DATA_HOME below ~/.local/share.",
    ),
    (
        "CATALOGUE.lock",
        "Whose turn it is to write to the catalogue, and since when.",
    ),
];

/// The page of the program or of one command, in roff.
pub(super) fn page(command: &Command) -> io::Result<Vec<u8>> {
    let after_help = command.get_after_help().map(ToString::to_string);
    let examples = after_help.as_deref().map(examples).unwrap_or_default();
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    man.render_title(&mut page)?;
    man.render_name_section(&mut page)?;
    man.render_synopsis_section(&mut page)?;
    man.render_description_section(&mut page)?;
    man.render_options_section(&mut page)?;
    if command.has_subcommands() {
        man.render_subcommands_section(&mut page)?;
    }
    let environment: Vec<(String, String)> = environment(command);
    let own = |rows: &[(&str, &str)]| {
        let rows = rows.iter();
        rows.map(|(name, about)| ((*name).to_owned(), (*about).to_owned()))
            .collect::<Vec<_>>()
    };
    rows("EXIT STATUS", &own(&EXIT_STATUS), &mut page)?;
    rows("ENVIRONMENT", &environment, &mut page)?;
    rows("FILES", &own(&FILES), &mut page)?;
    if !examples.is_empty() {
        let mut section = Roff::new();
        section.control("SH", ["EXAMPLES"]);
        section.control("nf", []);
        for line in examples {
            section.text([roman(line)]);
        }
        section.control("fi", []);
        section.to_writer(&mut page)?;
    }
    if command.get_version().is_some() {
        man.render_version_section(&mut page)?;
    }
    Ok(page)
}

/// The lines below `Examples:` up to the next blank one.
fn examples(after_help: &str) -> Vec<String> {
    let mut lines = after_help
        .lines()
        .skip_while(|line| *line != "Examples:")
        .skip(1)
        .peekable();
    let mut examples = Vec::new();
    while let Some(line) = lines.next_if(|line| !line.is_empty()) {
        examples.push(line.trim_start().to_owned());
    }
    examples
}

/// Every option and its variable, those of all commands on the page of the program.
fn environment(command: &Command) -> Vec<(String, String)> {
    let own = command.get_arguments();
    let all = own.chain(command.get_subcommands().flat_map(Command::get_arguments));
    let mut variables: Vec<(String, String)> = all.filter_map(variable).collect();
    variables.push((
        "NO_COLOR".to_owned(),
        "No colours, unless --color says otherwise.".to_owned(),
    ));
    variables.sort();
    variables.dedup();
    variables
}

fn variable(option: &Arg) -> Option<(String, String)> {
    let name = option.get_env()?.to_str()?.to_owned();
    let long = option.get_long().filter(|_| !option.is_hide_set())?;
    Some((name, format!("As --{long}; the command line wins.")))
}

fn rows(title: &str, rows: &[(String, String)], page: &mut Vec<u8>) -> io::Result<()> {
    let mut section = Roff::new();
    section.control("SH", [title]);
    for (name, about) in rows {
        section.control("TP", []);
        section.text([bold(name.as_str())]);
        section.text([roman(about.as_str())]);
    }
    section.to_writer(page)
}

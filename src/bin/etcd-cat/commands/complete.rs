//! `etcd-cat complete`: what the shells ask while a command line is typed.

use super::Invocation;
use crate::args::{Cli, CompleteArgs, Topic};
use crate::engine;
use crate::exit::Exit;
use crate::reply::Reply;
use clap::{Arg, Command, CommandFactory as _};
use etcd_cat::finding::Code;
use etcd_cat::oc::ReasonCode;
use etcd_cat::selection::{Candidate as _, Selection, Summary};

pub(super) fn run(args: &CompleteArgs, invocation: &Invocation<'_>) -> Reply {
    let mut program = Cli::command();
    program.build();
    let line = Line::new(&program, &args.words);
    let mut found = line.candidates(invocation);
    found.retain(|word| word.starts_with(&line.begun));
    found.sort_unstable();
    found.dedup();
    let text = found.into_iter().map(|word| word + "\n").collect();
    Reply::verbatim(text, Exit::Good)
}

/// A command line up to the word that is being typed.
struct Line<'c> {
    program: &'c Command,
    /// The command, once it is there.
    command: Option<&'c Command>,
    /// The option whose value is being typed.
    option: Option<&'c Arg>,
    /// Operands before.
    operands: usize,
    /// What is there of the word.
    begun: String,
}

impl<'c> Line<'c> {
    /// From the words after the program's name, the last one of which is being typed.
    fn new(program: &'c Command, words: &[String]) -> Self {
        let mut line = Self {
            program,
            command: None,
            option: None,
            operands: 0,
            begun: String::new(),
        };
        let Some((last, before)) = words.split_last() else {
            return line;
        };
        for word in before {
            line.pass(word);
        }
        // A shell that takes = for a word of its own.
        match (last.as_str(), last.split_once('=')) {
            ("=", _) => {}
            (_, Some((name, value))) if name.starts_with("--") => {
                line.option = line.option_named(name);
                line.begun = value.to_owned();
            }
            _ => line.begun.clone_from(last),
        }
        line
    }

    fn pass(&mut self, word: &str) {
        if word == "=" {
            return;
        }
        if self.option.take().is_some() {
            return;
        }
        if word.starts_with('-') {
            let option = self.option_named(word);
            self.option = option.filter(|option| option.get_action().takes_values());
        } else if self.command.is_none() {
            let mut commands = self.program.get_subcommands();
            self.command = commands.find(|command| {
                command.get_name() == word || command.get_all_aliases().any(|alias| alias == word)
            });
        } else {
            self.operands += 1;
        }
    }

    fn options(&self) -> impl Iterator<Item = &'c Arg> {
        let own = self.command.into_iter().flat_map(Command::get_arguments);
        let global = self.program.get_arguments();
        own.chain(global)
            .filter(|option| !option.is_positional() && !option.is_hide_set())
    }

    fn option_named(&self, word: &str) -> Option<&'c Arg> {
        let mut options = self.options();
        options.find(
            |option| match (word.strip_prefix("--"), word.strip_prefix('-')) {
                (Some(long), _) => option.get_long() == Some(long),
                (None, Some(short)) => option
                    .get_short()
                    .is_some_and(|one| short.chars().eq([one])),
                (None, None) => false,
            },
        )
    }

    fn candidates(&self, invocation: &Invocation<'_>) -> Vec<String> {
        if let Some(option) = self.option {
            return values(option, invocation);
        }
        if self.begun.starts_with('-') {
            let longs = self.options().filter_map(Arg::get_long);
            return longs.map(|long| format!("--{long}")).collect();
        }
        let Some(command) = self.command else {
            let commands = self.program.get_subcommands();
            let shown = commands.filter(|command| !command.is_hide_set());
            return shown.map(|command| command.get_name().to_owned()).collect();
        };
        let positionals: Vec<&Arg> = command.get_positionals().collect();
        let operand = positionals.get(self.operands).or(positionals.last());
        operand.map_or_else(Vec::new, |operand| values(operand, invocation))
    }
}

/// What an option or an operand may be; nothing where a path is expected, which the shell knows better.
fn values(argument: &Arg, invocation: &Invocation<'_>) -> Vec<String> {
    let names = argument.get_value_names().unwrap_or_default();
    let name = names.first().map_or("", clap::builder::Str::as_str);
    match (argument.get_id().as_str(), name) {
        ("accept" | "codes", _) => Code::ALL.iter().map(ToString::to_string).collect(),
        ("force", _) => {
            let reasons = ReasonCode::ALL
                .iter()
                .filter(|reason| reason.is_forceable());
            reasons.map(ToString::to_string).collect()
        }
        ("code", _) => Topic::all().map(|topic| topic.code().to_owned()).collect(),
        ("cluster", _) => known(invocation, |backup| {
            let cluster = backup.cluster();
            cluster.and_then(|cluster| cluster.name.clone().or_else(|| cluster.id.clone()))
        }),
        ("valid_for", _) => known(invocation, |backup| backup.version().openshift.clone()),
        (_, "BACKUP" | "BACKUP|PATH") => {
            let mut ids = known(invocation, Summary::id);
            ids.extend(["latest", "latest-valid"].map(str::to_owned));
            ids
        }
        ("command", _) => {
            let program = Cli::command();
            let commands = program.get_subcommands();
            commands
                .map(|command| command.get_name().to_owned())
                .collect()
        }
        _ => {
            let possible = argument.get_possible_values();
            possible
                .iter()
                .map(|value| value.get_name().to_owned())
                .collect()
        }
    }
}

/// What the catalogue knows; a shell that waits is told nothing of errors.
fn known(invocation: &Invocation<'_>, told: impl Fn(&Summary) -> Option<String>) -> Vec<String> {
    let backups = engine::glance_to_list(&Selection::default(), &invocation.request(&[]));
    let backups = backups.unwrap_or_default().summaries;
    backups.iter().filter_map(told).collect()
}

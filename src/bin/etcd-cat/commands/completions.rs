//! `etcd-cat completions` and `etcd-cat man`: what packagers install.

use super::manual;
use crate::args::{Cli, CompletionsArgs, ManArgs};
use crate::error::{Failure, code};
use crate::exit::Exit;
use crate::reply::Reply;
use clap::CommandFactory as _;
use clap_complete::Shell;

/// These ask the program itself, which knows the catalogue: see `complete`.
const BASH: &str = include_str!("completions.bash");
const ZSH: &str = include_str!("completions.zsh");
const FISH: &str = include_str!("completions.fish");

/// The name that the shell completes.
const PROGRAM: &str = "etcd-cat";

pub(super) fn completions(args: &CompletionsArgs) -> Result<Reply, Failure> {
    let own = match args.shell {
        Shell::Bash => Some(BASH),
        Shell::Zsh => Some(ZSH),
        Shell::Fish => Some(FISH),
        _ => None,
    };
    if let Some(script) = own {
        return Ok(Reply::verbatim(script.to_owned(), Exit::Good));
    }
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), PROGRAM, &mut script);
    text(script)
}

pub(super) fn man(args: &ManArgs) -> Result<Reply, Failure> {
    let mut program = Cli::command();
    program.build();
    let command = match &args.command {
        None => Some(program),
        Some(name) => {
            let found = program
                .get_subcommands()
                .find(|command| command.get_name() == name);
            found
                .cloned()
                .map(|command| command.name(format!("{PROGRAM}-{name}")))
        }
    };
    let unknown = || {
        let name = args.command.as_deref().unwrap_or_default();
        Failure::new(code::USAGE, format!("there is no command {name:?}"))
            .hint("see the commands: etcd-cat --help")
    };
    text(manual::page(&command.ok_or_else(unknown)?)?)
}

fn text(bytes: Vec<u8>) -> Result<Reply, Failure> {
    let text = String::from_utf8(bytes).map_err(|error| Failure::new(code::IO, error))?;
    Ok(Reply::verbatim(text, Exit::Good))
}

//! The command line as people type it.

use super::*;
use clap::CommandFactory as _;

fn parse(line: &str) -> Result<Cli, clap::Error> {
    Cli::try_parse_from(line.split_whitespace())
}

fn flags(command: &clap::Command) -> Vec<&clap::Arg> {
    let built_in = ["help", "version"];
    let is_ours =
        |arg: &&clap::Arg| arg.get_long().is_some() && !built_in.contains(&arg.get_id().as_str());
    command.get_arguments().filter(is_ours).collect()
}

#[test]
fn the_command_line_is_consistent() {
    Cli::command().debug_assert();
}

#[test]
fn every_flag_has_its_environment_variable() {
    let program = Cli::command();
    for command in std::iter::once(&program).chain(program.get_subcommands()) {
        for flag in flags(command) {
            let long = flag.get_long().unwrap_or_default();
            let expected = format!("ETCD_CAT_{}", long.replace('-', "_").to_uppercase());
            let found = flag
                .get_env()
                .map(|name| name.to_string_lossy().into_owned());
            assert_eq!(found, Some(expected), "{} --{long}", command.get_name());
        }
    }
}

#[test]
fn every_command_and_flag_says_what_it_does_in_one_line() {
    let program = Cli::command();
    for command in program.get_subcommands() {
        let about = command
            .get_about()
            .map(ToString::to_string)
            .unwrap_or_default();
        assert!(
            about.len() > 10 && !about.ends_with('.'),
            "{}: {about:?}",
            command.get_name()
        );
        for flag in flags(command) {
            let help = flag.get_help().map(ToString::to_string).unwrap_or_default();
            assert!(
                help.len() > 10 && !help.ends_with('.'),
                "--{:?}: {help:?}",
                flag.get_long()
            );
        }
    }
}

#[test]
fn examples_in_the_help_are_real() {
    let program = Cli::command();
    let mut examples = 0;
    for command in std::iter::once(&program).chain(program.get_subcommands()) {
        let help = command
            .get_after_help()
            .map(ToString::to_string)
            .unwrap_or_default();
        for line in help
            .lines()
            .filter_map(|line| line.strip_prefix("  etcd-cat "))
        {
            let line = line.split("    ").next().unwrap_or_default();
            let line = line.split([';', '|', '>', '$']).next().unwrap_or_default();
            let result = parse(&format!("etcd-cat {line}"));
            // What a shell would have put in place of $(...) is missing here.
            let is_only_cut = line.starts_with("forget ");
            assert!(result.is_ok() || is_only_cut, "{line}: {:?}", result.err());
            examples += 1;
        }
    }
    assert!(examples > 20, "{examples}");
}

#[test]
fn global_options_stand_anywhere() {
    for line in [
        "etcd-cat -o json list",
        "etcd-cat list -o json",
        "etcd-cat list -ojson -q -vv --offline --jobs 3",
    ] {
        let cli = parse(line).expect(line);
        assert_eq!(cli.global.output, Format::Json, "{line}");
    }
}

#[test]
fn wrong_usage_is_refused() {
    for line in [
        "etcd-cat",
        "etcd-cat frobnicate",
        "etcd-cat list --valid-for 4.17",
        "etcd-cat list --accept digest",
        "etcd-cat list --max-age 26",
        "etcd-cat list -o xml",
        "etcd-cat list --as-of yesterday",
        "etcd-cat --jobs 0 list",
        "etcd-cat stage latest",
        "etcd-cat backup",
        "etcd-cat forget",
        "etcd-cat show",
        "etcd-cat explain nonsense",
    ] {
        let error = parse(line).expect_err(line);
        assert_eq!(error.exit_code(), 2, "{line}");
    }
}

#[test]
fn findings_are_accepted_one_by_one_or_as_a_list() {
    for line in [
        "etcd-cat list --accept digest-missing --accept time-skew",
        "etcd-cat list --accept digest-missing,time-skew",
    ] {
        let cli = parse(line).expect(line);
        let Command::List(args) = cli.command else {
            continue;
        };
        assert_eq!(args.accept.codes.len(), 2, "{line}");
    }
}

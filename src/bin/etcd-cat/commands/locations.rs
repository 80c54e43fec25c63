//! `etcd-cat locations`: what is searched.

use super::Invocation;
use crate::args::LocationsArgs;
use crate::engine;
use crate::error::{Failure, code};
use crate::exit::Exit;
use crate::output::LocationList;
use crate::output::text;
use crate::reply::Reply;

pub(super) fn run(args: &LocationsArgs, invocation: &Invocation<'_>) -> Result<Reply, Failure> {
    let request = invocation.request(&[]);
    let mut notes = Vec::new();
    for location in &args.drop {
        let location = location.absolute();
        let path = text::path(&location);
        if !engine::drop_location(&location, &request)? {
            let message = format!("{path} is no remembered location");
            return Err(Failure::new(code::REFERENCE, message)
                .hint("see which there are: etcd-cat locations"));
        }
        notes.push(format!(
            "{path} is searched no more; its backups stay in the catalogue"
        ));
    }
    let locations = engine::locations(&request)?;
    let is_asked = args.drop.is_empty();
    if is_asked && locations.is_empty() {
        notes.push("no location is remembered; name one with: etcd-cat index DIRECTORY".to_owned());
    }
    let exit = if is_asked {
        Exit::of_locations(&locations)
    } else {
        Exit::Good
    };
    let mut reply = Reply::new(&LocationList(&locations), &invocation.style, exit)?;
    reply.notes = notes;
    Ok(reply)
}

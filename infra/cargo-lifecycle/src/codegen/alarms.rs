//! The lists of functions and queues in `infra/alarms.yaml`.

use std::collections::BTreeSet;

use tooling::Error;
use tooling::descriptions::Kind;

use super::declared::Declared;
use super::document::Document;
use super::names::{head, logical_id};

/// Fills the lists.
///
/// # Errors
///
/// If one has no markers.
pub(super) fn fill(
    alarms: &mut Document,
    template: &Document,
    all: &[Declared<'_>],
) -> Result<(), Error> {
    // The authorizer and the rotation have separate alarms, frequent schedules those of `Clocks`. The
    // alarms of other schedules are written by hand, with periods that suit them.
    let has_errors = |it: &Declared<'_>| match it.description.kind {
        Kind::Endpoint => true,
        Kind::Consumer => !it.is_scheduled(),
        Kind::Authorizer | Kind::Rotation => false,
    };
    let is_consumer = |it: &Declared<'_>| it.description.kind == Kind::Consumer;
    let judged = functions(all, |it| is_judged(template, it));
    let waiting = all.iter().filter_map(Declared::queue);
    let waiting = names(waiting.filter(|queue| !has_own_age(alarms, queue)));
    for (name, variable, list) in [
        ("Judged", "Function", judged),
        ("Functions", "Function", functions(all, has_errors)),
        ("Slow", "Function", functions(all, is_consumer)),
        ("Clocks", "Function", functions(all, Declared::runs_often)),
        ("Sources", "Source", names(all.iter().filter_map(Declared::feed))),
        ("Waiting", "Queue", waiting),
    ] {
        let head = format!("\n  Fn::ForEach::{name}:\n    - {variable}\n");
        alarms.fill(name, &head, &list)?;
    }
    Ok(())
}

/// Whether the deployment of a function's new version is judged by the function's own alarm.
fn is_judged(template: &Document, declared: &Declared<'_>) -> bool {
    let settings = template.hand_written(&head(&declared.id())).unwrap_or_default();
    settings.contains(&format!("-{}-5xx\"", declared.name()))
}

/// Whether a queue has a separate alarm on its oldest message.
fn has_own_age(alarms: &Document, queue: &str) -> bool {
    alarms.text().contains(&head(&logical_id(&format!("age_{queue}"), "")))
}

/// The list of these functions, with a line for each folder.
fn functions<'a>(all: &[Declared<'a>], listed: impl Fn(&Declared<'a>) -> bool) -> String {
    let folders = all.chunk_by(|one, next| one.function.folder == next.function.folder);
    let line = |folder: &[Declared<'a>]| {
        let functions = folder.iter().filter(|function| listed(function)).map(Declared::name);
        functions.collect::<Vec<_>>().join(", ")
    };
    let lines = folders.map(line).filter(|line| !line.is_empty()).collect::<Vec<_>>();
    format!("    - [{}]\n", lines.join(",\n       "))
}

fn names<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: BTreeSet<&str> = names.collect();
    format!("    - [{}]\n", names.into_iter().collect::<Vec<_>>().join(", "))
}

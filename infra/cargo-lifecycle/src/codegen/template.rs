//! The functions of the template, and the mappings and queues of its consumers.

use std::collections::{BTreeMap, BTreeSet};

use sam_template::parse_json;
use tooling::Error;
use tooling::descriptions::Kind;

use super::conventions::Conventions;
use super::declared::Declared;
use super::document::{Document, END, START};
use super::names::{head, logical_id};
use super::{backup, resources, rows, tables};
use crate::service::functions::missing;

/// The text before a function's binary.
const BINARY: &str = "BuildProperties: {Binary: ";
/// The text behind the name of a schedule's event.
const SCHEDULE: &str = ": {Type: Schedule,";

/// Settings of new resources. From then on they are written by hand.
const CONSUMER: &str = "      Timeout: 20\n";
/// API Gateway waits ten seconds for an authorizer, including its cold start.
const AUTHORIZER: &str = "      Timeout: 8\n";
const QUEUE: &str = "      VisibilityTimeout: 120\n      MessageRetentionPeriod: 345600\n";
const QUEUE_MAPPING: &str = "      BatchSize: 10\n      ScalingConfig: {MaximumConcurrency: 2}\n";
const STREAM_MAPPING: &str = "      StartingPosition: TRIM_HORIZON\n      BatchSize: 100\n      MaximumRetryAttempts: 10000\n";
/// The filter of the outbox: the relay skips its own updates of the rows.
const INSERTED: &str =
    "      FilterCriteria: {Filters: [{Pattern: '{\"eventName\": [\"INSERT\"]}'}]}\n";
/// The library's table of outgoing events.
const OUTBOX: &str = "outbox";

/// Fills the template's parts, and adds the resources of new functions. The template may also have
/// functions with these binaries of other packages.
///
/// # Errors
///
/// If a function has no file any more, if two consumers have the same source, if a generated setting
/// is also written by hand, if a resource has no markers or does not begin its line, or if the template
/// has no section `Resources`.
pub(super) fn fill(
    template: &mut Document,
    all: &[Declared<'_>],
    others: &BTreeSet<String>,
) -> Result<(), Error> {
    refuse_left(template, all, others)?;
    refuse_shared(all)?;
    for declared in all {
        refuse_overridden(template, declared)?;
    }
    refuse_other_layout(template)?;
    for declared in all {
        add_missing(template, all, declared)?;
    }
    tables::add_missing(template, all)?;
    let conventions = Conventions::of(template.text())?;
    let rows = rows::of(&in_order(template, all, &conventions));
    for declared in all {
        let awaited = rows.get(&declared.id()).map(String::as_str);
        let event = schedule_event(template, declared);
        let function = resources::function(declared, awaited, &event, &conventions);
        put(template, &declared.id(), &function)?;
        let mapping = resources::mapping(declared, conventions.publishes(&declared.id()));
        if let (Some(feed), Some(mapping)) = (declared.feed(), mapping) {
            put(template, &logical_id(feed, "Mapping"), &mapping)?;
            put(template, &dead_letter_queue(feed), &resources::dead_letters(feed))?;
        }
        if let (Some(queue), Some(most)) = (declared.queue(), declared.description.deliveries_max) {
            put(template, &logical_id(queue, "Queue"), &resources::queue(queue, most))?;
        }
    }
    backup::fill(template)
}

fn dead_letter_queue(feed: &str) -> String {
    logical_id(feed, "DeadLetterQueue")
}

fn put(template: &mut Document, id: &str, content: &str) -> Result<(), Error> {
    template.fill(id, &head(id), content)
}

/// The name of the event by which a schedule runs a function. An existing name is kept, since
/// `CloudFormation` would replace the rule of an event with another name.
fn schedule_event(template: &Document, declared: &Declared<'_>) -> String {
    let part = template.generated(&head(&declared.id())).unwrap_or_default();
    let event = part.lines().find_map(|line| line.split_once(SCHEDULE));
    event.map_or("Clock", |(name, _)| name.trim()).to_owned()
}

/// Refuses a function of the template whose file is gone: a person decides about its settings.
fn refuse_left(
    template: &Document,
    all: &[Declared<'_>],
    others: &BTreeSet<String>,
) -> Result<(), Error> {
    for (at, _) in template.text().match_indices(BINARY) {
        let (before, behind) = template.text().split_at(at);
        let binary = behind[BINARY.len()..].split('}').next().unwrap_or_default();
        if !others.contains(binary) && !all.iter().any(|declared| declared.name() == binary) {
            let id = before.lines().filter_map(resource).next_back().unwrap_or_default();
            return Err(missing(template.path(), id, binary).into());
        }
    }
    Ok(())
}

/// The logical id of the resource that a line begins.
fn resource(line: &str) -> Option<&str> {
    line.strip_prefix("  ")?.strip_suffix(':').filter(|id| !id.starts_with([' ', '#']))
}

/// Refuses two consumers of one source: each queue and stream has one mapping, which names one
/// function, and the inbox knows records by the name of their source.
fn refuse_shared(all: &[Declared<'_>]) -> Result<(), Error> {
    let mut consumers = BTreeMap::new();
    for declared in all {
        let Some(feed) = declared.feed().or(declared.event()) else { continue };
        if let Some(other) = consumers.insert(feed, declared.name()) {
            return Err(format!("{other} and {} both consume {feed}", declared.name()).into());
        }
    }
    Ok(())
}

/// Refuses a template whose resources have another indentation, or quoted names: added ones would not
/// fit, and known ones would be added again.
fn refuse_other_layout(template: &Document) -> Result<(), Error> {
    let parsed = parse_json(template.text())?;
    for (id, _) in parsed["Resources"].as_object().into_iter().flatten() {
        if template.place(&format!("\n  {id}:")).is_none() {
            return Err(format!(
                "{}: {id} has to begin its line, behind two blanks and without quotes",
                template.path()
            )
            .into());
        }
    }
    Ok(())
}

/// Refuses a setting that is generated and also written by hand.
fn refuse_overridden(template: &Document, declared: &Declared<'_>) -> Result<(), Error> {
    let id = declared.id();
    let settings = template.hand_written(&head(&id)).unwrap_or_default();
    let events: &[_] = match declared.description.kind {
        Kind::Endpoint => &["Events"],
        Kind::Consumer if declared.is_scheduled() => &["EventInvokeConfig", "Events"],
        Kind::Consumer | Kind::Authorizer | Kind::Rotation => &[],
    };
    for setting in ["FunctionName", "Environment", "Policies"].iter().chain(events) {
        if settings.contains(&format!("\n      {setting}:")) {
            return Err(format!(
                "{}: {id}: {setting} is generated from the function: delete the one that is \
                 written by hand, behind the markers",
                template.path()
            )
            .into());
        }
    }
    Ok(())
}

/// The functions in the template's order, each with the function that it waits for until now.
fn in_order(
    template: &Document,
    all: &[Declared<'_>],
    conventions: &Conventions,
) -> Vec<(String, Option<String>)> {
    let mut functions: Vec<String> = all.iter().map(Declared::id).collect();
    functions.sort_by_key(|id| template.place(&head(id)));
    let awaited = |id: &str| {
        let mut lines = template.generated(&head(id))?.lines();
        let awaited = lines.find_map(|line| line.strip_prefix("    DependsOn: "))?;
        functions.iter().find(|id| awaited == conventions.awaited(id)).cloned()
    };
    functions.iter().map(|id| (id.clone(), awaited(id))).collect()
}

/// Adds the resources of a function that the template does not have: the function after the others
/// of its folder, the mapping after the function, and the queues after the others. The first of a
/// kind is the last resource.
fn add_missing(
    template: &mut Document,
    all: &[Declared<'_>],
    new: &Declared<'_>,
) -> Result<(), Error> {
    let ids = |known: &Declared<'_>| {
        let mapping = known.feed().map(|feed| logical_id(feed, "Mapping"));
        [Some(known.id()), mapping].into_iter().flatten()
    };
    let folder = all.iter().filter(|known| known.function.folder == new.function.folder);
    let place =
        last(template, folder.flat_map(ids)).or_else(|| last(template, all.iter().flat_map(ids)));
    let settings = match new.description.kind {
        Kind::Consumer => CONSUMER,
        Kind::Authorizer => AUTHORIZER,
        Kind::Endpoint | Kind::Rotation => "",
    };
    add(template, place.as_deref(), &new.id(), settings)?;
    let Some(feed) = new.feed() else { return Ok(()) };
    let settings = match new.streamed() {
        Some(OUTBOX) => format!("{STREAM_MAPPING}{INSERTED}"),
        Some(_) => STREAM_MAPPING.to_owned(),
        None => QUEUE_MAPPING.to_owned(),
    };
    add(template, Some(&new.id()), &logical_id(feed, "Mapping"), &settings)?;
    let queues = all.iter().filter_map(Declared::queue);
    let feeds = all.iter().filter_map(Declared::feed);
    let mut place = last(template, queues.map(dead_letter_queue))
        .or_else(|| last(template, feeds.map(dead_letter_queue)));
    if let Some(queue) = new.queue() {
        let queue = logical_id(queue, "Queue");
        add(template, place.as_deref(), &queue, QUEUE)?;
        place = Some(queue);
    }
    add(template, place.as_deref(), &dead_letter_queue(feed), "")
}

/// The last of these resources in the template.
fn last(template: &Document, ids: impl Iterator<Item = String>) -> Option<String> {
    let placed = ids.filter_map(|id| Some((template.place(&head(&id))?, id)));
    placed.max().map(|(_, id)| id)
}

/// Adds a resource with an empty generated part, unless the template has it.
fn add(
    template: &mut Document,
    after: Option<&str>,
    id: &str,
    settings: &str,
) -> Result<(), Error> {
    if template.has(&head(id))? {
        return Ok(());
    }
    let block = format!("  {id}:\n    # {START}\n      # {END}\n{settings}");
    match after {
        Some(after) => template.add(id, &head(after), &block),
        None => template.append(id, &block),
    }
}

#[cfg(test)]
mod tests {
    use tooling::descriptions::{Description, Source};

    use super::super::declared::Function;
    use super::super::tests::description;
    use super::*;

    fn filled(template: &str, described: &[(&str, Description)]) -> Result<Document, Error> {
        let function = |name: &str| Function { folder: "people".to_owned(), name: name.to_owned() };
        let functions: Vec<Function> = described.iter().map(|(name, _)| function(name)).collect();
        let described = described.iter().map(|(name, it)| ((*name).to_owned(), it.clone()));
        let descriptions: BTreeMap<String, Description> = described.collect();
        let mut template = Document::new("template.yaml", template.to_owned());
        let all = Declared::of(&functions, &descriptions)?;
        fill(&mut template, &all, &BTreeSet::new())?;
        Ok(template)
    }

    #[test]
    fn without_an_alias_a_function_waits_for_another_itself() {
        let names = ["get_a", "get_b", "get_c", "get_d", "get_e", "get_f", "get_g"];
        let mut functions = names.map(|name| (name, description("endpoint", None))).to_vec();
        functions.push(("send_email", description("consumer", Some("emails"))));
        for (globals, awaited, mapped) in [
            ("", "GetAFunction", "SendEmailFunction"),
            (
                "Globals:\n  Function: {AutoPublishAlias: live}\n",
                "GetAFunctionAliaslive",
                "SendEmailFunction.Alias",
            ),
        ] {
            let template = filled(&format!("{globals}Resources:\n"), &functions).unwrap();
            let text = template.text();
            assert!(text.contains(&format!("    DependsOn: {awaited}\n")), "{text}");
            assert!(text.contains(&format!("      FunctionName: !Ref {mapped}\n")), "{text}");
            let again = filled(text, &functions).unwrap();
            assert_eq!(again.changes(), Vec::<String>::new());
        }
    }

    #[test]
    fn a_new_authorizer_ends_before_the_api_gives_up() {
        let functions = [("authorizer", description("authorizer", None))];
        let template = filled("Resources:\n", &functions).unwrap();
        assert!(template.text().contains("\n      Timeout: 8\n"), "{}", template.text());
    }

    #[test]
    fn the_mapping_of_a_function_that_ignores_the_alias_of_the_globals_names_the_function() {
        let functions = [("send_email", description("consumer", Some("emails")))];
        for (behind, mapped) in [
            ("    IgnoreGlobals: [Timeout]\n", "SendEmailFunction.Alias"),
            ("    IgnoreGlobals: [AutoPublishAlias]\n", "SendEmailFunction"),
            ("    IgnoreGlobals: '*'\n", "SendEmailFunction"),
        ] {
            let before = format!(
                "Globals:\n  Function: {{AutoPublishAlias: live}}\nResources:\n\n  \
                 SendEmailFunction:\n    # <generated by cargo lifecycle codegen>\n      \
                 # </generated>\n{behind}"
            );
            let template = filled(&before, &functions).unwrap();
            let text = template.text();
            assert!(text.contains(behind), "{text}");
            assert!(text.contains(&format!("      FunctionName: !Ref {mapped}\n")), "{text}");
            let again = filled(text, &functions).unwrap();
            assert_eq!(again.changes(), Vec::<String>::new());
        }
    }

    #[test]
    fn a_setting_behind_an_empty_line_stays_with_its_function() {
        let template = "Resources:\n\n  GetBookFunction:\n    # <generated by cargo lifecycle \
                        codegen>\n      # </generated>\n      Timeout: 20\n\n      MemorySize: 512\n";
        let functions = ["get_book", "get_loan"].map(|name| (name, description("endpoint", None)));
        let filled = filled(template, &functions).unwrap();
        let settings = filled.hand_written(&head("GetBookFunction"));
        assert_eq!(settings, Some("\n      Timeout: 20\n\n      MemorySize: 512"));
        assert_eq!(filled.hand_written(&head("GetLoanFunction")), Some(""));
    }

    #[test]
    fn a_template_whose_resources_have_another_layout_is_refused_with_the_resource() {
        let functions = [("get_book", description("endpoint", None))];
        for line in ["    Api: {Type: A}", "  'Api': {Type: A}", "  ? Api\n  : {Type: A}"] {
            let refused = filled(&format!("Resources:\n{line}\n"), &functions).unwrap_err();
            let refused = refused.to_string();
            assert!(refused.starts_with("template.yaml: Api has to begin its line"), "{refused}");
        }
        assert!(filled("Resources:\n  Api: {Type: A} # The first\n", &functions).is_ok());
    }

    #[test]
    fn two_consumers_of_events_with_one_name_are_refused() {
        let consumer = Description {
            source: Some(Source::Event("uploads".to_owned())),
            ..description("consumer", None)
        };
        let consumers = ["count_uploads", "scan_uploads"].map(|name| (name, consumer.clone()));
        let refused = filled("Resources:\n", &consumers).unwrap_err().to_string();
        assert_eq!(refused, "count_uploads and scan_uploads both consume uploads");
    }
}

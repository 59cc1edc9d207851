//! Query strings of lists, with their cursors.
//!
//! A cursor is accepted only if it is one that the same list has issued.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use sam_template::percent::decode_query;
use serde_json::{Value as Json, json};

use crate::seeds::{events, named, seed};
use crate::store::{Changes, invoke, of_kind};
use crate::{Seed, Target, answers, mutate};

/// The target.
pub const LIST: Target = Target {
    name: "list",
    run,
    seeds,
    mutate: mutate::bytes,
    max_len: 2048,
    dictionary: &[
        "limit=", "cursor=", "&", "%", "%00", "%C3%A9", "+", "order=", "sort=", "status=", "from=",
        "to=", "page=",
    ],
};

/// The lists that have cursors, with their example events and the cursors that they issue.
static LISTS: LazyLock<BTreeMap<String, (Json, Vec<String>)>> = LazyLock::new(|| {
    let lists = events(of_kind("endpoint")).filter(|(name, _)| name.starts_with("list_"));
    let issued = lists.map(|(name, event)| {
        let mut cursors = Vec::new();
        for limit in 1..=4 {
            let answer = asked(&name, &event, &format!("limit={limit}"));
            cursors.extend(answer.1["nextCursor"].as_str().map(str::to_owned));
        }
        (name, (event, cursors))
    });
    issued.collect()
});

fn run(input: &[u8]) {
    let Some((function, query)) = named(input) else { return };
    let Some((event, issued)) = LISTS.get(function) else { return };
    let query = String::from_utf8_lossy(query);
    let (status, _) = asked(function, event, &query);
    assert!(matches!(status, 200 | 400 | 414), "{function}?{query}: {status}");
    if status != 200 || issued.is_empty() {
        return;
    }
    let pairs: Vec<(String, String)> = query
        .split('&')
        .filter_map(|pair| {
            let (name, value) = pair.split_once('=')?;
            Some((decode_query(name), decode_query(value)))
        })
        .collect();
    for (_, cursor) in pairs.iter().filter(|(name, _)| name == "cursor") {
        assert!(
            issued.contains(cursor) || cursor.is_empty(),
            "{function}?{query}: accepts the cursor {cursor}"
        );
    }
}

fn asked(function: &str, event: &Json, query: &str) -> (u16, Json) {
    let mut event = event.clone();
    event["rawQueryString"] = json!(query);
    let answer = invoke(function, event.to_string().as_bytes(), Changes::default()).answer;
    let payload = answer.unwrap_or_else(|error| panic!("{function}: {error}"));
    let answered = answers::checked(function, &payload, false);
    let json = answered.json();
    (answered.status, json)
}

fn seeds() -> Vec<Seed> {
    let each = LISTS.iter().flat_map(|(name, (_, cursors))| {
        let cursors = cursors.iter().enumerate().map(move |(number, cursor)| {
            seed(name, &format!(".cursor{number}"), format!("limit=2&cursor={cursor}").as_bytes())
        });
        cursors.chain([seed(name, "", b"limit=2")])
    });
    each.collect()
}

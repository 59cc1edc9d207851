//! Random expressions, with their names and values.

use serde_json::{Value as Json, json};
use simulation::random::Random;

use super::generator::Generator;

impl<R: Random> Generator<R> {
    /// A path, as it is in an expression.
    pub(super) fn path(&mut self) -> &'static str {
        if self.is(200) {
            return self.one(&["status", "v.Name"]);
        }
        self.one(&[
            "n", "s", "v", "w", "#set", "v.x", "v.y", "w[0]", "w[1].x", "v.x.y", "absent", "tag",
            "#rank", "w[1]",
        ])
    }

    pub(super) fn condition(&mut self, depth: u32) -> String {
        let path = self.path();
        let value = self.one(&[":n", ":s", ":v", ":set"]);
        match self.random.below(if depth == 0 { 11 } else { 14 }) {
            0 => format!("attribute_exists({path})"),
            1 => format!("attribute_not_exists({path})"),
            2 => format!("attribute_type({path}, :type)"),
            3 => format!("begins_with({path}, :s)"),
            4 => format!("contains({path}, {value})"),
            5 => format!("size({path}) {} :n", self.one(&["=", "<", ">="])),
            6 => format!("{path} BETWEEN :low AND :high"),
            7 => format!("{path} IN (:n, :s, {value})"),
            8 | 9 => {
                let value = if self.is(60) { value } else { self.one(&[":n", ":s"]) };
                format!("{path} {} {value}", self.one(&["<", "<=", ">", ">="]))
            }
            10 => format!("{path} {} {value}", self.one(&["=", "<>"])),
            11 => format!("NOT {}", self.condition(0)),
            12 => format!("({}) AND {}", self.condition(0), self.condition(depth - 1)),
            _ => format!("{} OR ({})", self.condition(0), self.condition(depth - 1)),
        }
    }

    pub(super) fn clauses(&mut self) -> String {
        let mut clauses = Vec::new();
        if self.is(2) {
            let mut set = Vec::new();
            for _ in 0..=self.random.below(2) {
                let path = self.path();
                let other = self.path();
                set.push(match self.random.below(7) {
                    0 | 1 => format!("{path} = :v"),
                    2 => format!("{path} = {path} {} :n", self.one(&["+", "-"])),
                    3 => format!("{path} = if_not_exists({other}, :v)"),
                    4 => format!("{path} = list_append({other}, :list)"),
                    5 => format!("{path} = {other}"),
                    _ => format!("{path} = if_not_exists({path}, :n) + :n"),
                });
            }
            clauses.push(format!("SET {}", set.join(", ")));
        }
        if self.is(3) {
            clauses.push(format!("REMOVE {}", self.path()));
        }
        if self.is(3) {
            let (path, value) =
                (self.one(&["n", "#set", "v", "absent"]), self.one(&[":n", ":set"]));
            clauses.push(format!("ADD {path} {value}"));
        }
        if self.is(5) {
            clauses.push(format!("DELETE {} :set", self.one(&["#set", "v", "absent"])));
        }
        if clauses.is_empty() { "SET n = :n".to_owned() } else { clauses.join(" ") }
    }

    /// Adds the names and values that the expressions of a request use.
    pub(super) fn with_placeholders(&mut self, mut request: Json) -> Json {
        let expressions = [
            "ConditionExpression",
            "UpdateExpression",
            "FilterExpression",
            "ProjectionExpression",
            "KeyConditionExpression",
        ];
        let texts = expressions.iter().filter_map(|name| request[*name].as_str());
        let text: String = texts.flat_map(|text| [" ", text, " "]).collect();
        let has_values = !text.is_empty() && request.get("ProjectionExpression").is_none();
        let is_used = |alias: &str| {
            text.match_indices(alias).any(|(place, _)| {
                let next = text[place + alias.len()..].chars().next();
                next.is_none_or(|next| !next.is_alphanumeric())
            })
        };
        let (low, high) = (self.one(&["0", "1"]), self.one(&["1", "2", "10"]));
        let high = if self.is(60) { "-1" } else { high };
        let tag = self.one(&["S", "N", "L", "M", "SS"]);
        let values = [
            (":n", self.number()),
            (":s", self.text()),
            (":v", self.value(2)),
            (":set", self.one(&[json!({ "SS": ["a", "b"] }), json!({ "NS": ["1", "2"] })])),
            (":type", json!({ "S": tag })),
            (":low", json!({ "N": low })),
            (":high", json!({ "N": high })),
            (":list", json!({ "L": [{ "S": "z" }] })),
            (":pk", json!({ "S": self.one(&["a", "b", "c", "d", "t1", "t2"]) })),
        ];
        for (alias, value) in values {
            if is_used(alias) || (has_values && self.is(400)) {
                request["ExpressionAttributeValues"][alias] = value;
            }
        }
        for (alias, name) in [("#set", "set"), ("#rank", "rank")] {
            if is_used(alias) {
                request["ExpressionAttributeNames"][alias] = json!(name);
            }
        }
        request
    }
}

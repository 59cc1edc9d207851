//! Joins the pieces of a text whose references are not known yet.

use serde_json::{Value, json};

/// The pieces of a joined text: merged literals, and references.
#[derive(Default)]
pub(super) struct Joined {
    pieces: Vec<Value>,
}

impl Joined {
    pub(super) fn push(&mut self, piece: &Value) {
        if let Some(inner) = piece.get("Fn::Join").and_then(|join| join.get(1)) {
            inner.as_array().into_iter().flatten().for_each(|piece| self.push(piece));
            return;
        }
        let words = match piece {
            Value::String(words) => words.clone(),
            Value::Number(number) => number.to_string(),
            Value::Bool(flag) => flag.to_string(),
            reference => return self.pieces.push(reference.clone()),
        };
        match self.pieces.last_mut() {
            Some(Value::String(last)) => last.push_str(&words),
            _ => self.pieces.push(Value::String(words)),
        }
    }

    pub(super) fn into_value(mut self) -> Value {
        self.pieces.retain(|piece| piece.as_str() != Some(""));
        match self.pieces.len() {
            0 => json!(""),
            1 => self.pieces.remove(0),
            _ => json!({"Fn::Join": ["", self.pieces]}),
        }
    }
}

//! The journey of a request as a tree: waiting apart from work, next tries and dead letters.
//!
//! A place with one effect has it on the next line; several effects branch. So only branches
//! need width, and a long chain of events fits into a narrow terminal.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::names;
use super::sections::title;
use super::style::{Colour, Style, padded, took};
use crate::activity::view::{Journey, JourneyNode, NodeKind, NodeState};

/// The width of each column of times, with the space before it.
const TIME: usize = 10;

/// The lines of a journey.
pub(crate) fn journey(journey: &Journey, style: Style) -> Vec<String> {
    let mut tree = Tree::new(journey, style);
    tree.head(if journey.at_rest { "journey, at rest" } else { "journey, still moving" });
    let reached: BTreeSet<&str> = journey.edges.iter().map(|edge| &*edge.to).collect();
    let roots = journey.nodes.iter().filter(|node| !reached.contains(&*node.id));
    // Nodes of a circle have no root; each of them is as good as another.
    for node in roots.chain(&journey.nodes) {
        if !tree.drawn.contains(&*node.id) {
            tree.chain(String::new(), String::new(), None, node);
        }
    }
    if journey.nodes.is_empty() {
        tree.lines.push("  nothing is known of it yet".to_owned());
    }
    if journey.truncated {
        tree.lines.push(style.paint(Colour::Quiet, "The rest was left out to bound the answer."));
    }
    tree.lines
}

struct Tree<'j> {
    style: Style,
    /// The effects of each node: label and node, in the order of time.
    effects: BTreeMap<&'j str, Vec<(&'j str, &'j JourneyNode)>>,
    /// The nodes that have their lines.
    drawn: BTreeSet<&'j str>,
    /// The begin of the journey.
    began: Option<Timestamp>,
    lines: Vec<String>,
}

impl<'j> Tree<'j> {
    fn new(journey: &'j Journey, style: Style) -> Self {
        let nodes: BTreeMap<&str, &JourneyNode> =
            journey.nodes.iter().map(|node| (&*node.id, node)).collect();
        let mut effects: BTreeMap<&str, Vec<(&str, &JourneyNode)>> = BTreeMap::new();
        for edge in &journey.edges {
            if let Some(node) = nodes.get(&*edge.to) {
                effects.entry(&edge.from).or_default().push((edge.label.as_str(), *node));
            }
        }
        for effects in effects.values_mut() {
            effects.sort_by_key(|(_, node)| node.at);
        }
        let began = journey.nodes.iter().map(|node| node.at).min();
        Self { style, effects, drawn: BTreeSet::new(), began, lines: Vec::new() }
    }

    fn head(&mut self, text: &str) {
        let text = padded(text, self.style.width.saturating_sub(2 * TIME));
        let times = format!("{:>TIME$}{:>TIME$}", "waited", "worked");
        let times = self.style.paint(Colour::Quiet, &times);
        self.lines.push(format!("{}{times}", title(&text, self.style)));
    }

    /// A node and its effects. `first` is before its first line, and `rest` before all others.
    fn chain(
        &mut self,
        mut first: String,
        rest: String,
        label: Option<&'j str>,
        node: &'j JourneyNode,
    ) {
        let (mut label, mut node) = (label, node);
        loop {
            if !self.drawn.insert(&node.id) {
                self.line(&first, label, node, true);
                return;
            }
            self.line(&first, label, node, false);
            let effects = self.effects.get(&*node.id).cloned().unwrap_or_default();
            let bar = if effects.len() > 1 { self.style.either("│ ", "| ") } else { "  " };
            self.notes(&format!("{rest}{bar}"), node);
            match effects[..] {
                [] => return,
                [(cause, effect)] => {
                    first.clone_from(&rest);
                    (label, node) = (Some(cause), effect);
                }
                [ref branches @ .., (cause, effect)] => {
                    for &(cause, effect) in branches {
                        let fork = self.style.either("├─ ", "|- ");
                        let below = self.style.either("│  ", "|  ");
                        self.chain(
                            format!("{rest}{fork}"),
                            format!("{rest}{below}"),
                            Some(cause),
                            effect,
                        );
                    }
                    let fork = self.style.either("└─ ", "`- ");
                    self.chain(format!("{rest}{fork}"), format!("{rest}   "), Some(cause), effect);
                    return;
                }
            }
        }
    }

    /// The line of a node: its sign, its cause, its kind and title, and both times.
    fn line(&mut self, first: &str, label: Option<&str>, node: &JourneyNode, is_again: bool) {
        let style = self.style;
        let (unicode, ascii, _, colour) = names::of_node(node.state);
        let mut text = format!("{} ", style.either(unicode, ascii));
        if let Some(label) = label {
            text.push_str(&style.clean(&format!("{label} → ")));
            text.push(' ');
        }
        if node.kind != NodeKind::Request {
            text.push_str(names::kind(node.kind));
            text.push(' ');
        }
        text.push_str(&style.clean(&node.title));
        if is_again {
            text.push_str(" (above)");
        }
        let width = style.width.saturating_sub(2 * TIME + first.chars().count());
        let text = padded(&style.cut(&text, width), width);
        let time = |ms: Option<f64>| ms.filter(|_| !is_again).map(took).unwrap_or_default();
        let (waited, worked) = (time(node.waited_ms), time(node.worked_ms));
        let waited = style.paint(Colour::Waiting, &format!("{waited:>TIME$}"));
        self.lines.push(format!("{first}{}{waited}{worked:>TIME$}", style.paint(colour, &text)));
    }

    /// The lines below a node: state, error, deliveries and the next try.
    fn notes(&mut self, before: &str, node: &JourneyNode) {
        let (.., word, colour) = names::of_node(node.state);
        let mut notes = Vec::new();
        notes.extend(node.subtitle.clone().map(|subtitle| (Colour::Quiet, subtitle)));
        if node.compensates {
            notes.push((Colour::Quiet, "compensates an earlier step".to_owned()));
        }
        let error = node.error.as_ref();
        if node.kind == NodeKind::DeadLetter {
            let error = error.map(|error| format!(": {error}")).unwrap_or_default();
            notes.push((Colour::Bad, format!("in the dead-letter queue{error}")));
        } else if let Some(error) = error {
            notes.push((colour, format!("{word}: {error}")));
        } else if node.state != NodeState::Done {
            notes.push((colour, word.to_owned()));
        }
        let has_retries = node.deliveries.len() > 1;
        for (place, delivery) in node.deliveries.iter().enumerate().filter(|_| has_retries) {
            let (colour, outcome) = match delivery.succeeded {
                Some(true) => (Colour::Quiet, "succeeded"),
                Some(false) => (Colour::Bad, "failed"),
                None => (Colour::Waiting, "runs"),
            };
            let error = delivery.error.as_ref().map(|error| format!(": {error}"));
            let at = self.moment(delivery.at);
            let text =
                format!("delivery {} at {at} {outcome}{}", place + 1, error.unwrap_or_default());
            notes.push((colour, text));
        }
        if let Some(at) = node.next_try_at {
            notes.push((Colour::Waiting, format!("next try at {}", self.moment(at))));
        }
        // Each line of a wrapped note has the bars of the branches at its left.
        let width = self.style.width.saturating_sub(before.chars().count());
        for (colour, text) in notes {
            for line in self.style.wrapped(&text, width) {
                self.lines.push(format!("{before}{}", self.style.paint(colour, &line)));
            }
        }
    }

    /// A time of day, with its date if the journey began on another day.
    fn moment(&self, at: Timestamp) -> String {
        let date = |at: Timestamp| at.strftime("%Y-%m-%d").to_string();
        let is_same_day = self.began.is_some_and(|began| date(began) == date(at));
        at.strftime(if is_same_day { "%H:%M:%SZ" } else { "%Y-%m-%d %H:%M:%SZ" }).to_string()
    }
}

//! Whole drawings, compared with files.

use super::super::samples;
use super::style::Style;
use super::trace;
use crate::activity::view::Journey;

const PLAIN: Style = Style { width: 80, colours: false, unicode: true };

/// Compares a drawing with its file. The message has the whole drawing, to replace the file after a
/// change that is meant.
fn compare(drawn: &str, expected: &str, file: &str) {
    assert!(drawn == expected, "draw/tests/{file} differs from:\n{drawn}");
}

#[test]
fn a_committed_request_is_drawn_with_its_attempts_and_its_journey() {
    let drawn = trace(&samples::placed(), &samples::journey(), PLAIN);
    compare(&drawn, include_str!("placed.txt"), "placed.txt");
}

#[test]
fn a_refused_request_is_drawn_in_ascii_where_the_terminal_has_no_unicode() {
    let style = Style { width: 72, unicode: false, ..PLAIN };
    let journey = Journey { at_rest: true, ..Journey::default() };
    let drawn = trace(&samples::refused(), &journey, style);
    assert!(drawn.is_ascii());
    compare(&drawn, include_str!("refused-ascii.txt"), "refused-ascii.txt");
}

#[test]
fn colours_change_nothing_but_escape_sequences() {
    let coloured = Style { colours: true, ..PLAIN };
    let drawn = trace(&samples::placed(), &samples::journey(), coloured);

    let mut plain = String::new();
    for (place, part) in drawn.split("\u{1b}[").enumerate() {
        let text = part.split_once('m').map_or(part, |(_, text)| text);
        plain.push_str(if place == 0 { part } else { text });
    }

    assert_ne!(drawn, plain);
    let trimmed: Vec<_> = plain.lines().map(str::trim_end).collect();
    assert_eq!(trimmed, include_str!("placed.txt").lines().collect::<Vec<_>>());
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in [40, 60, 120] {
        let drawn = trace(&samples::placed(), &samples::journey(), Style { width, ..PLAIN });
        for line in drawn.lines() {
            // The column of notes has at least 16 characters.
            let width = width.max(35 + 16);
            assert!(line.chars().count() <= width, "{width}: {line}");
        }
    }
}

#[test]
fn places_that_cause_each_other_in_a_circle_are_drawn_once() {
    let mut journey = samples::journey();
    journey.edges.retain(|edge| edge.from == "send" || edge.to == "send");
    journey.edges.push(crate::activity::view::JourneyEdge {
        from: "mail".to_owned(),
        to: "email".to_owned(),
        label: "caused".to_owned(),
    });

    let lines = super::journey(&journey, PLAIN).join("\n");

    assert_eq!(lines.matches("SendEmailFunction").count(), 2, "{lines}");
    assert!(lines.contains("SendEmailFunction (above)"), "{lines}");
}

#[test]
fn a_journey_without_places_and_a_cut_one_have_a_note() {
    let journey = Journey { truncated: true, ..Journey::default() };
    let lines = super::journey(&journey, PLAIN).join("\n");
    assert!(lines.starts_with("journey, still moving"), "{lines}");
    assert!(lines.contains("nothing is known of it yet"), "{lines}");
    assert!(lines.ends_with("The rest was left out to bound the answer."), "{lines}");
}

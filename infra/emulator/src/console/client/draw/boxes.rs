//! The nine stages of a request as boxes, with their times and notes.

use super::names;
use super::style::{Colour, Style, padded, took};
use crate::activity::view::{StageBox, StageState};

/// The width inside of a box: sign, number and the longest name, which is `deserialization`.
const INSIDE: usize = 19;
/// The width of the column of times.
const TIME: usize = 8;

/// The boxes, one below the other.
pub(super) fn boxes(stages: &[StageBox], style: Style) -> Vec<String> {
    let bar = style.either("─", "-").repeat(INSIDE + 2);
    let [top, middle, bottom] = if style.unicode {
        [format!("┌{bar}┐"), format!("├{bar}┤"), format!("└{bar}┘")]
    } else {
        [(); 3].map(|()| format!("+{bar}+"))
    };
    let mut lines = Vec::with_capacity(2 * stages.len() + 1);
    for (place, stage) in stages.iter().enumerate() {
        lines.push(style.paint(Colour::Quiet, if place == 0 { &top } else { &middle }));
        lines.extend(one(stage, style));
    }
    lines.push(style.paint(Colour::Quiet, &bottom));
    lines
}

/// The lines of one box. A long note continues at its right.
fn one(stage: &StageBox, style: Style) -> Vec<String> {
    let (unicode, ascii, word, colour) = names::of_state(stage.state);
    let sign = style.either(unicode, ascii);
    let name = format!("{sign} {} {}", names::number(stage.stage), names::stage(stage.stage));
    let time = stage.took_ms.map(took).unwrap_or_default();
    let note = match (&stage.note, stage.state) {
        (Some(note), StageState::Passed) => note.clone(),
        (Some(note), _) => format!("{word}: {note}"),
        (None, StageState::Passed) => String::new(),
        (None, _) => word.to_owned(),
    };
    let side = style.paint(Colour::Quiet, style.either("│", "|"));
    let notes = style.wrapped(&note, style.width.saturating_sub(INSIDE + TIME + 8));
    let line = |number: usize| {
        let (name, time) = if number == 0 { (&*name, &*time) } else { ("", "") };
        let note = notes.get(number).map_or("", String::as_str);
        // A passed stage's note is an explanation; any other one is the point of the drawing.
        let of_note = if stage.state == StageState::Passed { Colour::Quiet } else { colour };
        let name = style.paint(colour, &padded(name, INSIDE));
        format!("{side} {name} {side}  {time:>TIME$}  {}", style.paint(of_note, note))
    };
    (0..notes.len().max(1)).map(line).collect()
}

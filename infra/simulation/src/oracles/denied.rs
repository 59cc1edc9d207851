//! Calls that no policy allows.

use crate::world::{Event, Happened, Oracle, View};

/// Checks that no call of a function is denied: a denial is no fault of the world, but a permission that
/// the template lacks.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoDeniedCalls;

impl NoDeniedCalls {
    /// Its name.
    pub const NAME: &'static str = "no call is denied";
}

impl Oracle for NoDeniedCalls {
    fn name(&self) -> &str {
        Self::NAME
    }

    fn observe(&mut self, event: &Event, _view: &View<'_>) -> Result<(), String> {
        match &event.what {
            Happened::Performed { status: 400.., body, .. }
                if body.contains("AccessDeniedException") =>
            {
                Err(body.clone())
            }
            _ => Ok(()),
        }
    }
}

//! Callbacks and the objects that they name.

mod callback_storm;
mod callbacks;

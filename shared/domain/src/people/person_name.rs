//! Users' names.

use lifecycle::newtypes::single_line;

single_line! {
    /// The name by which a user wants to be called.
    PersonName: 1..=100
}

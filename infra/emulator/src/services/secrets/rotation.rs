//! The state of a secret's rotation.

use std::collections::BTreeMap;

use sam_template::{Template, Trigger};
use tokio::sync::{Mutex, watch};

/// The rotation of one secret.
#[derive(Default)]
pub(crate) struct Rotation {
    /// The token of the rotation in progress: the id of the new version.
    pub(crate) under_way: watch::Sender<Option<String>>,
    /// Held while a rotation starts, so that only one does.
    pub(super) beginning: Mutex<()>,
}

/// The rotations of a template, by secret name.
pub(super) fn of(template: &Template) -> BTreeMap<String, Rotation> {
    let sources = template.event_sources.iter();
    let secrets = sources.filter_map(|source| match &source.trigger {
        Trigger::Rotation(trigger) => Some(template.secrets.get(&trigger.secret)?.name.clone()),
        _ => None,
    });
    secrets.map(|name| (name, Rotation::default())).collect()
}

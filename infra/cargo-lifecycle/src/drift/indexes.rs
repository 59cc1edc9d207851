//! Indexes: the template has every index that a function reads, with the expected keys.

use sam_template::{Key, Template};
use tooling::descriptions::Description;

use crate::codegen::names::logical_id;

pub(super) fn complaints(template: &Template, description: &Description) -> Vec<String> {
    let mut complaints = Vec::new();
    for (table, names) in &description.resources.indexes {
        let table = logical_id(table, "Table");
        let declared = template.tables.get(&table).map_or(&[][..], |table| &table.indexes);
        for name in names {
            let (partition, sort) = (format!("{name}_pk"), format!("{name}_sk"));
            let keyed = Key { partition, sort: Some(sort) };
            if !declared.iter().any(|index| index.name == *name && index.key == keyed) {
                complaints.push(format!("index: {table} has no {name} by {name}_pk and {name}_sk"));
            }
        }
    }
    complaints
}

//! Products, and the partner's catalogue.

mod caching;
mod changes;
mod partner;
mod parts;
mod prices;

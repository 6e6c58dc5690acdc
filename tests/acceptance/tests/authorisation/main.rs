//! Every route of the template × everybody who may ask for it.

"""Words for attributes: the vocabulary, their normal form and diverse selections."""

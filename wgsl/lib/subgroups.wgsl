// What a kernel with subgroup operations begins with. The rule that is switched off can't follow what a kernel knows:
// that all lanes of a subgroup hold the same number of it.

enable subgroups;
diagnostic(off, subgroup_uniformity);

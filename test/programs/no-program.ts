// Test module that is no program module: it exports something else.
export const prorgam = {};

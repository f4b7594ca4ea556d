// Sends the form of a launch on. Without scripts its button does the same.
const form = document.querySelector("form[data-send]");
if (form) form.submit();

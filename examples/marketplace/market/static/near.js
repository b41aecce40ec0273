// Two conveniences; everything works without them.

// "Use my position": browsers tell it to pages that came by https, if the person agrees.
const here = document.querySelector(".here");
if (here && navigator.geolocation && isSecureContext) {
  here.hidden = false;
  here.addEventListener("click", () => {
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        here.form.elements.near.value = `${coords.latitude.toFixed(3)}, ${coords.longitude.toFixed(3)}`;
        here.form.requestSubmit();
      },
      () => here.form.elements.near.focus(),
      { maximumAge: 600000, timeout: 10000 },
    );
  });
}

// Show the picture that was chosen before it is sent.
const file = document.querySelector(".drop input");
file?.addEventListener("change", () => {
  const shown = document.querySelector(".drop img");
  shown.hidden = !file.files.length;
  if (file.files.length) shown.src = URL.createObjectURL(file.files[0]);
});

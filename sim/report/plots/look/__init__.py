"""How all plots look: colours and marks, titles and legends, and the files they become."""

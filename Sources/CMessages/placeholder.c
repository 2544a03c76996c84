typedef int tributary_placeholder;

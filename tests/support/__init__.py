"""What tests of several folders share: values, waiting, small libraries, processes to run and to break."""
